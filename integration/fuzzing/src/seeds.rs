//! Inputs to begin with: what is good, nearly good, and known to have broken others.

use std::fs;
use std::path::Path;

use crate::reference;

/// The inputs to begin with for a target.
///
/// # Panics
/// The example configurations cannot be read.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "token" => tokens(),
        "jwks" => JWKS
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .chain([reference::jwks().into_bytes()])
            .collect(),
        "configuration" => configurations(),
        "path" => PATHS.iter().map(|path| path.as_bytes().to_vec()).collect(),
        "challenge" => challenges(),
        "scenario" => STORIES.iter().map(|story| story.to_vec()).collect(),
        _ => Vec::new(),
    }
}

fn tokens() -> Vec<Vec<u8>> {
    let claims = r#"{"iss":"https://idp.example","aud":["api"],"sub":"alice","exp":1800000600,"nbf":1,"iat":1.5e9,"jti":"1","x":{"y":[1,-2,null,true]}}"#;
    let headers = [
        r#"{"alg":"HS256","kid":"h"}"#,
        r#"{"alg":"HS384","typ":"at+jwt","cty":"json"}"#,
        r#"{"alg":"HS512","crit":["exp"],"exp":1}"#,
        r#"{"alg":"EdDSA","kid":"e"}"#,
        r#"{"alg":"none","kid":null}"#,
        r#"{"alg":"HS256","b64":false,"jwk":{"kty":"oct","k":"AA"}}"#,
        "{\"\\u0061lg\":\"HS256\",\"alg\":\"none\"}",
    ];
    let payloads = [
        claims.to_owned(),
        claims.replace("1800000600", "0"),
        claims.replace("1800000600", "1.8000006e9"),
        claims.replace("1800000600", "\"1800000600\""),
        claims.replace("1800000600", "1e400"),
        claims.replace("\"nbf\":1", "\"nbf\":-1"),
        claims.replace("alice", " alice\\r\\n"),
        claims.replace("\"sub\"", "\"\\u0073ub\""),
        claims.replace("[\"api\"]", "\"https://api/\""),
        "[[[[[[[[]]]]]]]]".to_owned(),
    ];
    let mut seeds = Vec::new();
    for (header, number) in headers.iter().zip([1, 2, 3, 1, 1, 1, 1]) {
        for payload in &payloads {
            seeds.push(format!("{number}{header}\n{payload}").into_bytes());
        }
    }
    let good =
        reference::signed(headers[0].as_bytes(), claims.as_bytes(), jsonwebtoken::Algorithm::HS256);
    seeds.push([b"t", good.as_slice()].concat());
    // RFC 7515, appendix A.3.
    seeds.push(b"teyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q".to_vec());
    seeds
}

fn configurations() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../filter-config");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut seeds: Vec<Vec<u8>> =
        paths.iter().filter_map(|path| fs::read(path.join("config.json")).ok()).collect();
    assert!(seeds.len() >= 10, "{}", seeds.len());
    seeds.push(b"{}".to_vec());
    // A `Struct` with the member `rules`, a list of one empty object.
    seeds.push(b"\x0a\x0f\x0a\x05rules\x12\x06\x32\x04\x0a\x02\x2a\x00".to_vec());
    seeds
}

fn challenges() -> Vec<Vec<u8>> {
    let text = |parts: [&str; 4], choice: u8| {
        let mut seed = vec![choice];
        for part in parts {
            seed.extend(u16::try_from(part.len()).unwrap().to_le_bytes());
            seed.extend(part.as_bytes());
        }
        seed
    };
    vec![
        text(["realm", "orders:read", "api.example", "/a/b?access_token=x"], 1),
        text(["", "a", "h\"\\", "/\"x\"\\,error=\"\r\n"], 0),
        text(["r\u{e9}\"", "\\\"", "", ""], 1),
        text(["", "s", "a:b@c", "//x#?y"], 0),
    ]
}

const JWKS: [&str; 8] = [
    r#"{"keys":[{"kty":"RSA","kid":"k","n":"n4EPtAOCc9AlkeQHPzHStgAbhs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}]}"#,
    r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig","key_ops":["verify"],"alg":"ES256"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    r#"{"keys":[{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}"#,
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
    r#"{"keys":[{"kty":"EC","crv":"P-521","x":"AA","y":"AA"},{"kty":"AKP"},7,null,[]]}"#,
    r#"{"keys":{},"a":"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"}"#,
    r#"{"k":"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"}"#,
    r#"{"keys":[{"kty":"RSA","kid":"\u0000\n","e":"AQ","n":"AA","d":"AA","x5c":["MIIB"],"x5t":"AA"}]}"#,
];

const PATHS: [&str; 28] = [
    "/admin",
    "/open/../admin",
    "/open/%2e%2e/admin",
    "/open/..;/admin",
    "/open/..%3b/admin",
    "//admin",
    "/./admin",
    "\\admin",
    "/open%2f..%2fadmin",
    "/open/%252e%252e/admin",
    "/admin%3f/open",
    "/admin%23",
    "/%61dmin",
    "/a;b/../admin;c/x",
    "/%c0%ae%c0%ae/admin",
    "/open%e0%80%af..%f0%80%80%af/\u{e01}dmin",
    "/%u002e%u002e/admin",
    "/open#/../admin",
    "/a/secret;%2fx",
    "http://api.example/admin",
    "*",
    "",
    "admin",
    "/open//..//../admin",
    "/admin/?a=b&t=1#x",
    "/open?q=1",
    "/open?%71=1&x=%26",
    "/open?x=1&q&y=+",
];

/// A configuration's number, then what happens.
const STORIES: [&[u8]; 6] = [
    b"\x00\x01\x05\x02\x00\x00\x04\x00\x01\x00\x04\x02\x00\x00",
    b"\x01\x02\x00\x02\x04\x00\x02\x01\x00\x01\x01\x00\x00\x00\x00\x00",
    b"\x02\x04\x00\x01\x00\x05\x00\x00\x00\x00\x02\x00\x02\x04\x00\x01\x00\x05\x03\x00\x01\x02\x00\x00\x00",
    b"\x03\x02\x00\x00\x00\xff\x01\x00\x04\x01\x01\x02\x04\x00\x00\x00\x01",
    b"\x04\x03\x00\x01\x39\x00\x02\x01\x01\x01\x01\x01\x01\x01\x01\x04\x00\x01\x02\x04\x00\x00\x00\x00",
    b"\x05\x02\x00\x02\x04\x00\x01\x00\x04\x00\x00\x00\x00\x02\x00\xff\x00\x40\x04\x00\x01\x00\x04\x00\x00\x00\x00",
];
