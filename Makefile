# Everything that one does with Playhead. Each target sets up what it needs and is safe to repeat.

.PHONY: help demo test lint docs bench crash rivals search-rivals fuzz setup

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: setup ## Start a server, import films, and watch simulated households (ARGS="--films PATH …")
	cargo run --release --package playhead-server --bin playhead -- demo $(ARGS)

test: setup ## Run every test, installing what the tests need
	scripts/setup node
	scripts/setup postgres
	scripts/setup faults
	cd tests/audit && npm ci --no-audit --no-fund --loglevel=error
	cd tests/people && npm ci --no-audit --no-fund --loglevel=error
	cargo test --workspace
	cargo test -p playhead-eventlog --features postgres --test postgres
	cargo test -p playhead-eventlog --features seeded-bugs --test durability seeded

lint: setup ## Check format, lints and documentation, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --features playhead-eventlog/postgres,playhead-eventlog/seeded-bugs --all-targets -- -D warnings
	$(MAKE) --no-print-directory docs

docs: ## Build the documentation, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --features playhead-eventlog/postgres --no-deps --document-private-items

bench: setup ## Measure import, heartbeats, rebuild and the log (FILMS=PATH for a large catalogue)
	scripts/bench

crash: setup ## Crash the log on a simulated disk as long as you want (SECONDS=60 SEED=1000)
	@SECONDS_MAX=$(SECONDS) SEED=$(SEED) WORKLOAD="$(WORKLOAD)" STATES=$(STATES) STEP=$(STEP) STATE=$(STATE) \
		cargo test -q -p playhead-eventlog --test durability forever:: -- --ignored --nocapture

rivals: setup ## Measure the log beside Tephra, UmaDB, SQLite and PostgreSQL, in an hour (ARGS=--quick)
	cd rivals && cargo run --release -- $(ARGS)

search-rivals: setup ## Measure search beside SQLite, PostgreSQL and Meilisearch's engine, in minutes (ARGS="--queries /FILE --catalogue /DIR")
	scripts/setup postgres
	cd search/rivals && cargo run --release -- $(ARGS)

fuzz: setup ## Fuzz what the log reads from disk, with nightly Rust (SECONDS=60 for each target)
	scripts/fuzz $(or $(SECONDS),60)

setup:
	@scripts/setup compiler
