# Two commands: `make demo` shows Qiao at work, `make test` proves it.
#   make demo                 build, play the scenario, then serve http://127.0.0.1:8080
#   make test                 every test, on SQLite and PostgreSQL, and in a real browser
#   make bench [BENCH=invoke] release benches: a table, and target/bench.json
#   make check                what CI checks before it tests: format, lints, licences

SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)
COMPONENTS := $(TARGET)/components
PLUGINS := plugins/money-fund plugins/bond-fund plugins/traffic-fines examples/hello-plugin

.PHONY: demo test bench check release components clean-postgres

demo: release components
	$(TARGET)/release/qiao demo --components $(COMPONENTS) --biller $(TARGET)/release/biller --sandbox-bank $(TARGET)/release/sandbox-bank

release:
	@.ci/prepare wasm
	@echo "demo: building the host in release (about six minutes the first time)"
	cargo build --release --locked -p qiao -p biller -p sandbox-bank

components: release
	@mkdir -p $(COMPONENTS)
	@for plugin in $(PLUGINS); do \
	    echo "demo: building $$plugin"; \
	    $(TARGET)/release/qiao plugin build $$plugin --out $(COMPONENTS)/$$(basename $$plugin).wasm || exit 1; \
	done

test:
	@.ci/prepare wasm postgres chromium
	@.ci/postgres start >/dev/null
	cargo test --workspace --locked --no-fail-fast

bench:
	@.ci/prepare wasm postgres
	cargo build --release --locked -p qiao -p biller -p qiao-bench
	$(TARGET)/release/qiao-bench --out $(TARGET)/bench.json $(if $(BENCH),--only $(BENCH))

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked -p qiao-tests --test licences

clean-postgres:
	.ci/postgres stop
