use super::*;

fn readings(path: &str) -> Vec<String> {
    match Target::new(path.as_bytes()).readings() {
        Readings::Plain => vec![path.to_owned()],
        Readings::Several(all) => {
            all.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect()
        }
        Readings::Untold => Vec::new(),
    }
}

#[test]
fn the_most_liberal_reading_comes_last() {
    let cases = [
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/", "/"),
        ("", "/"),
        ("a/b", "/a/b"),
        ("//admin", "/admin"),
        ("/a//b", "/a/b"),
        ("/./admin", "/admin"),
        ("/x/../admin", "/admin"),
        ("/../../admin", "/admin"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/.", "/a/b/"),
        ("/%61dmin", "/admin"),
        ("/public/%2e%2e/admin", "/admin"),
        ("/public/..;/admin", "/admin"),
        ("/public/..;a=b/admin", "/admin"),
        ("/public/..%3bx/admin", "/admin"),
        ("/public%2f..%2fadmin", "/admin"),
        ("/public\\..\\admin", "/admin"),
        ("/public/%5c../admin", "/admin"),
        ("/a;v=1/b;w", "/a/b"),
        ("/a.b/c..d/...", "/a.b/c..d/..."),
        ("/100%", "/100%"),
        ("/%zz", "/%zz"),
    ];
    for (path, expected) in cases {
        assert_eq!(readings(path).last().map(String::as_str), Some(expected), "{path}");
    }
}

#[test]
fn each_liberty_may_be_taken_without_the_others() {
    let cases = [
        ("/public/../admin/..;/public/x", "/admin/..;/public/x"),
        ("/public/../admin//../public", "/admin/public"),
        ("//app///../admin//x", "/app/admin/x"),
        ("/a/secret;x", "/a/secret"),
        ("/admin%3f/public", "/admin"),
        ("/admin%23", "/admin"),
        ("/%61dmin%2f..%2fpublic", "/admin%2f..%2fpublic"),
        ("/public/..%5c..%5cadmin", "/public/..\\..\\admin"),
    ];
    for (path, expected) in cases {
        let readings = readings(path);
        assert!(readings.iter().any(|reading| reading == expected), "{path}: {readings:?}");
        assert!(readings.len() <= 96, "{path}");
    }
}

#[test]
fn what_cannot_be_told_has_no_readings() {
    let paths = [
        "/a%00",
        "/a%0a",
        "/a\u{7f}",
        "/%2561",
        "/public/%2e%2e/admin/%252e%252e/public",
        "/a/secret;%2fx",
        "/a%2f;x",
        "/public#/../admin",
        "/%c0%ae%c0%ae/admin",
        "/%e0%80%ae%e0%80%ae/admin",
        "/%f0%80%80%ae/admin",
        "/%u002e%u002e/admin",
    ];
    for path in paths {
        assert_eq!(readings(path), [""; 0], "{path:?}");
    }
    let unescaped: [&[u8]; 4] = [
        b"/public/\xc0\xae\xc0\xae/admin",
        b"/public\xe0\x80\xafadmin",
        b"/\xf0\x80\x81\x81dmin",
        b"/a\xc1",
    ];
    for path in unescaped {
        assert_eq!(Target::new(path).readings(), Readings::Untold, "{path:02x?}");
    }
    for path in ["/gr\u{fc}\u{df}e", "/%c3%bc", "/\u{e01}\u{10348}"] {
        assert!(!readings(path).is_empty(), "{path}");
    }
}

#[test]
fn a_path_has_no_more_readings_than_can_be_looked_at() {
    let cases = [
        ("/a".repeat(4_096), 1),
        ("/a".repeat(4_097), 0),
        ("/%61".repeat(2_048), 2),
        (r"/%2e%2e/\..;a//b".repeat(16), 27),
        (r"/%2e%2e/\..;a//b".repeat(500), 0),
    ];
    for (path, expected) in cases {
        assert_eq!(readings(&path).len(), expected, "{} bytes", path.len());
    }
}

#[test]
fn query_and_fragment_are_no_part_of_the_path() {
    let cases: [(&str, &str, Option<&str>); 5] = [
        ("/a?b=/c", "/a", Some("b=/c")),
        ("/a?", "/a", Some("")),
        ("/a#b?c", "/a", None),
        ("/a?b#c", "/a", Some("b")),
        ("/a", "/a", None),
    ];
    for (raw, path, query) in cases {
        let target = Target::new(raw.as_bytes());
        assert_eq!(target.path(), path.as_bytes(), "{raw}");
        assert_eq!(target.query(), query.map(str::as_bytes), "{raw}");
    }
}
