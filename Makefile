# `make run` and `make test` do all the set-up that they need on a fresh Debian machine with Rust.
.PHONY: run test soak fuzz setup setup-tests lint bench verify-static clean

CARGO ?= cargo

run: setup
	$(CARGO) build --locked --release -p sallyport -p samples
	rm -rf demo-stick outbound
	$(CARGO) run --locked --release -q -p samples -- demo-stick
	@echo
	@# Exit status 1 is what the demo stick is there to show: some of its files must be held back.
	@$(CARGO) run --locked --release -q -p sallyport -- clean demo-stick --out outbound --quarantine quarantine \
		|| [ $$? -eq 1 ]

test: setup-tests
	$(CARGO) test --locked --workspace

# The full campaigns: every kill, mutant and seed, not a sample of them.
soak: setup-tests
	SALLYPORT_SOAK=1 $(CARGO) test --locked --workspace --release -- --nocapture

# Ten minutes a fuzz target, one after the other (cargo install cargo-fuzz; no nightly toolchain is needed).
FUZZ_SECONDS ?= 600
fuzz: setup
	@cd fuzz && for target in $$(cargo fuzz list --fuzz-dir .); do \
		RUSTC_BOOTSTRAP=1 cargo fuzz run -s none --fuzz-dir . $$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=3000 -max_len=120000 || exit 1; \
	done

bench: setup
	$(CARGO) bench --locked --bench bare

# The check for the plant's side as one static file that runs on any Linux of this processor.
verify-static: setup
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --locked --profile small -p sallyport-verify --target $$(rustc -vV | sed -n 's/^host: //p')
	@ls -l target/*/small/sallyport-verify

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

setup:
	@sh scripts/setup.sh

setup-tests:
	@sh scripts/setup.sh tests

clean:
	$(CARGO) clean
	rm -rf demo-stick outbound quarantine
