//! Configurations of the native filter, as its users have them.

use super::{JWKS, faults};

/// Keys behind a cluster, two ways to a rule, the payload told to the upstream.
const REMOTE: &str = r#"{
  "providers": {
    "example_provider": {
      "issuer": "https://issuer.example",
      "audiences": ["service.example", "other.example"],
      "remoteJwks": {
        "httpUri": { "uri": "https://issuer.example/.well-known/jwks.json", "cluster": "issuer_cluster", "timeout": "1s" },
        "cacheDuration": { "seconds": 300 },
        "asyncFetch": { "fastListener": false, "failedRefetchDuration": "1s" }
      },
      "fromHeaders": [{ "name": "x-goog-iap-jwt-assertion" }, { "name": "authorization", "valuePrefix": "Bearer " }],
      "fromParams": ["jwt_token"],
      "forward": true,
      "forwardPayloadHeader": "x-jwt-payload",
      "padForwardPayloadHeader": true,
      "clockSkewSeconds": 30
    }
  },
  "rules": [
    { "match": { "prefix": "/healthz" } },
    { "match": { "prefix": "/", "caseSensitive": false }, "requires": { "providerName": "example_provider" } }
  ],
  "bypassCorsPreflight": true
}"#;

/// Several providers, and requirements that combine them.
const COMBINED: &str = r#"{
  "providers": {
    "provider1": { "issuer": "https://one.example", "localJwks": { "inlineString": "$JWKS" } },
    "provider2": { "issuer": "https://two.example", "localJwks": { "inlineString": "$JWKS" },
      "subjects": { "prefix": "spiffe://cluster.example/" }, "requireExpiration": true, "maxLifetime": "86400s",
      "fromCookies": ["session"],
      "claimToHeaders": [{ "headerName": "x-jwt-claim-sub", "claimName": "sub" }, { "headerName": "x-jwt-claim-nested", "claimName": "nested.claim.key" }] }
  },
  "rules": [
    { "match": { "path": "/any" }, "requires": { "requiresAny": { "requirements": [
      { "providerName": "provider1" }, { "providerName": "provider2" }, { "allowMissing": {} } ] } } },
    { "match": { "safeRegex": { "googleRe2": {}, "regex": "/all/[^/]+" } }, "requires": { "requiresAll": { "requirements": [
      { "providerAndAudiences": { "providerName": "provider1", "audiences": ["api"] } },
      { "requiresAny": { "requirements": [{ "providerName": "provider2" }, { "allowMissingOrFailed": {} }] } } ] } } },
    { "match": { "pathSeparatedPrefix": "/rest", "headers": [
        { "name": ":method", "stringMatch": { "exact": "POST" } },
        { "name": "x-internal", "presentMatch": true, "invertMatch": true } ],
        "queryParameters": [{ "name": "v", "stringMatch": { "safeRegex": { "regex": "[0-9]+" } } }] },
      "requirementName": "named" },
    { "match": { "connectMatcher": {} }, "requires": { "providerName": "provider1" } }
  ],
  "requirementMap": { "named": { "providerAndAudiences": { "providerName": "provider2", "audiences": ["rest"] } } },
  "stripFailureResponse": true
}"#;

/// Fields that this version does not take, between some that it does.
const METADATA: &str = r#"{
  "providers": {
    "p": {
      "issuer": "https://issuer.example",
      "remoteJwks": {
        "httpUri": { "uri": "https://issuer.example/jwks", "cluster": "c", "timeout": { "seconds": 5, "nanos": 500000000 } },
        "retryPolicy": { "retryBackOff": { "baseInterval": "0.01s", "maxInterval": "20s" }, "numRetries": 10 }
      },
      "payloadInMetadata": "jwt_payload",
      "headerInMetadata": "jwt_header",
      "normalizePayloadInMetadata": { "spaceDelimitedClaims": ["scope"] },
      "failedStatusInMetadata": "jwt_status",
      "clearRouteCache": true,
      "jwtCacheConfig": { "jwtCacheSize": 1000, "jwtMaxTokenSize": 4096 }
    }
  },
  "rules": [{ "match": { "prefix": "/" }, "requires": { "providerName": "p" } }],
  "filterStateRules": { "name": "jwt_selector", "requires": { "issuer_1": { "providerName": "p" } } },
  "statPrefix": "edge"
}"#;

#[test]
fn configurations_of_the_native_filter_are_taken_or_refused_field_by_field() {
    let none: [&str; 0] = [];
    assert_eq!(faults(REMOTE), none);
    assert_eq!(faults(&COMBINED.replace("$JWKS", JWKS)), none);
    assert_eq!(
        faults(METADATA),
        [
            "filter_state_rules: a module cannot choose rules by filter state; match on a header or a path instead",
        ]
    );
}
