# Everything that one does with Playhead. Each target sets up what it needs and is safe to repeat.

.PHONY: help demo test lint docs bench rivals setup

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: setup ## Start a server, import films, and watch simulated households (ARGS="--films PATH …")
	cargo run --release --package playhead-server --bin playhead -- demo $(ARGS)

test: setup ## Run every test, installing what the tests need
	scripts/setup node
	scripts/setup postgres
	cd tests/audit && npm ci --no-audit --no-fund --loglevel=error
	cargo test --workspace
	cargo test -p playhead-eventlog --features postgres --test postgres

lint: setup ## Check format, lints and documentation, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --features playhead-eventlog/postgres --all-targets -- -D warnings
	$(MAKE) --no-print-directory docs

docs: ## Build the documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --features playhead-eventlog/postgres --no-deps --document-private-items

bench: setup ## Measure import, heartbeats, rebuild and the log (FILMS=PATH for a large catalogue)
	scripts/bench

rivals: setup ## Measure the log beside Tephra, UmaDB, SQLite and PostgreSQL, in an hour (ARGS=--quick)
	cd rivals && cargo run --release -- $(ARGS)

setup:
	@scripts/setup compiler
