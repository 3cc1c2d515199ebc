use super::*;

const NOW: u64 = 1_900_000_000;

fn expanded(text: &str) -> Result<String, ExpandError> {
    expand(text, &Keyring::new(), "https://idp.example/t/jwks.json", NOW)
}

#[test]
fn text_without_placeholders_stays() {
    for text in ["", "/a?x=%41&y=b+c", "$ {} } $x"] {
        assert_eq!(expanded(text), Ok(text.to_owned()));
    }
}

#[test]
fn each_placeholder_becomes_its_value() {
    let rows = [
        ("a${idp}b", "ahttps://idp.example/t/jwks.jsonb"),
        ("${issuer} ${moved}", "https://idp.example/t https://idp.example/t/moved.json"),
        ("${elsewhere}", "https://keys.example/t/moved.json"),
        ("${now}", "1900000000"),
        ("${now +600}.5 ${now -5}", "1900000600.5 1899999995"),
        ("${hex 0d0A41}", "\r\nA"),
        ("${base64 idp}", "aHR0cHM6Ly9pZHAuZXhhbXBsZS90L2p3a3MuanNvbg=="),
        ("${json hex 220a}", r#""\"\n""#),
        ("${jwks}", r#"{"keys":[]}"#),
        ("${segment 1 token payload='{}'}", "e30"),
        (r#"${segment 1 token payload='{"exp":${now}}'}"#, "eyJleHAiOjE5MDAwMDAwMDB9"),
        ("${jwk rsa1024-1 n=x use=enc kid=-}", r#"{"e":"AQAB","kty":"RSA","n":"x","use":"enc"}"#),
    ];
    for (text, expected) in rows {
        assert_eq!(expanded(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_named_token_comes_again_and_in_parts() {
    let keyring = Keyring::new();
    let mut expansion = Expansion::new(&keyring, "");
    let token = expansion.text("${token as=t key=p256-1}").unwrap();
    expansion.set_now(NOW);
    assert_eq!(expansion.text("${again t}"), Ok(token.clone()));
    let parts = "${segment 0 again t}.${segment 1 again t}.${segment 2 again t}";
    assert_eq!(expansion.text(parts), Ok(token.clone()));
    assert_ne!(expansion.text("${token key=p256-1}"), Ok(token));
}

#[test]
fn a_certificate_comes_in_each_form() {
    let keyring = Keyring::new();
    let mut expansion = Expansion::new(&keyring, "");
    let base64 = expansion.text("${cert p256-1 x5c}").unwrap();
    let pem = expansion.text("${cert p256-1}").unwrap();
    assert_eq!(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>(), base64);
    let thumbprint = expansion.text("${cert p256-1 x5t#S256}").unwrap();
    let der = BASE64_STANDARD.decode(base64).unwrap();
    let digest = digest::digest(&digest::SHA256, &der);
    assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(thumbprint).unwrap(), digest.as_ref());
    let length = |text: String| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap().len();
    assert_eq!(length(expansion.text("${cert p256-1 x5t}").unwrap()), 20);
    assert_ne!(expansion.text("${cert p256-1 expired}"), Ok(pem));
}

#[test]
fn in_json_a_value_is_escaped_and_elsewhere_it_is_not() {
    let keyring = Keyring::new();
    let mut expansion = Expansion::new(&keyring, "");
    let json = expansion.json(r#"{"inline_string": "${jwks}"}"#);
    assert_eq!(json, Ok(r#"{"inline_string": "{\"keys\":[]}"}"#.to_owned()));
    assert_eq!(expansion.text("${jwks}"), Ok(r#"{"keys":[]}"#.to_owned()));
}

#[test]
fn bytes_that_are_no_text_stay_bytes() {
    let keyring = Keyring::new();
    let mut expansion = Expansion::new(&keyring, "");
    assert_eq!(expansion.bytes("a${hex ff}"), Ok(vec![b'a', 0xff]));
    assert_eq!(expansion.text("a${hex ff}"), Err(ExpandError::NotText));
    assert_eq!(expansion.json("a${hex ff}"), Err(ExpandError::NotText));
}

#[test]
fn what_is_no_placeholder_is_refused() {
    let owned = str::to_owned;
    let shape = |placeholder, reason| ExpandError::Shape { placeholder, reason };
    let certificate =
        "the name of a key, `expired` or not, and `x5c`, `x5t`, `x5t#S256` or nothing";
    let segment = "`0`, `1` or `2`, then `again name` or `token …`";
    let rows = [
        ("${idp", ExpandError::Open),
        ("${}", ExpandError::Unknown(String::new())),
        ("${tokn}", ExpandError::Unknown(owned("tokn"))),
        ("${idp x}", ExpandError::Unknown(owned("idp"))),
        ("${again t}", ExpandError::Nameless(owned("t"))),
        ("${jwk use=enc}", shape("jwk", "the name of a key comes first")),
        ("${jwk rsa-1 x}", shape("jwk", "one key, then `name=value`")),
        ("${cert}", shape("cert", certificate)),
        ("${cert p256-1 x5u}", shape("cert", certificate)),
        ("${cert p256-1 x5c expired}", shape("cert", certificate)),
        ("${segment 3 token}", shape("segment", segment)),
        ("${segment x token}", shape("segment", segment)),
        ("${hex 0}", shape("hex", "pairs of hexadecimal digits")),
        ("${hex +1}", shape("hex", "pairs of hexadecimal digits")),
        ("${now 5}", shape("now", "nothing, `+600` or `-5`")),
        ("${jwks x}", ExpandError::Key(KeyError::UnknownKind(owned("x")))),
        ("${token a b}", ExpandError::Mint(MintError::Bare(owned("a")))),
    ];
    for (text, expected) in rows {
        assert_eq!(expanded(text), Err(expected), "{text}");
    }
    let twice = expanded("${token as=t}${token as=t}");
    assert_eq!(twice, Err(ExpandError::Named(owned("t"))));
    assert_eq!(
        expanded("${jwk p256-1 use=a use=b}"),
        Err(ExpandError::Words(WordsError::Twice(owned("use"))))
    );
}
