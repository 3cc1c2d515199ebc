//! The configuration that is shipped, as an NGINX without the module sees it.

use std::fs;
use std::path::Path;
use std::process::Command;

use jwt_gate_nginx::without_wasm;

#[test]
fn what_only_the_module_knows_is_cut_out_whole() {
    let conf = "a;\nwasm {\n b { c; }\n}\nhttp {\n proxy_wasm_x on;\n proxy_wasm g '{ \"a;}\": 1 }';\n d; }";
    assert_eq!(without_wasm(conf), "a;\n\nhttp {\n \n \n d; }");
}

/// `nginx -t` of a stock NGINX; without one there is nothing to ask.
#[test]
fn a_stock_nginx_takes_the_rest_of_the_file() {
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx.conf");
    let conf = without_wasm(&fs::read_to_string(conf).unwrap());
    assert!(!conf.contains("wasm {") && conf.contains("proxy_set_header X-User $jwt_gate_x_user;"));
    // The paths that it was built with may be another user's.
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("{name}_temp_path {name};")).concat();
    let conf = conf.replacen("http {", &format!("http {{ access_log off; {folders}"), 1);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let file = folder.path().join("nginx.conf");
    fs::write(&file, conf).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-t").arg("-p").arg(folder.path()).arg("-c").arg(&file);
    match nginx.args(["-e", "logs/error.log", "-g", "pid nginx.pid;"]).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        Err(_) => println!("not run: there is no nginx"),
    }
}
