#!/usr/bin/env bash
# Makes the certificates and public keys beside it anew, with OpenSSL 3. Private keys are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
key=$(mktemp)
trap 'rm -f "$key"' EXIT

# A name, then the words of `openssl genpkey`.
make() {
  local name=$1; shift
  openssl genpkey -quiet -out "$key" "$@"
  openssl pkey -in "$key" -pubout -out "$name.pub.pem"
  openssl req -x509 -key "$key" -days 36500 -subj "/CN=$name" -out "$name.pem"
}

make rsa -algorithm RSA
openssl rsa -in "$key" -RSAPublicKey_out -out rsa.pkcs1.pem
make rsa-other -algorithm RSA
make rsa-1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
make rsa-pss -algorithm RSA-PSS
make p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
openssl ec -in "$key" -pubout -conv_form compressed -out p256.compressed.pem
openssl ec -in "$key" -pubout -param_enc explicit -out p256.explicit.pem
make p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
make p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
make secp256k1 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
make ed25519 -algorithm ED25519
make ed448 -algorithm ED448
