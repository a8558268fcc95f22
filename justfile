# Each recipe is one cargo command, or a list of recipes.

# What must pass before a change lands.
check: fmt clippy test policy

fmt:
    cargo fmt --check

clippy:
    cargo clippy --all-targets -- -D warnings

test:
    cargo test

# The examples and cases of the shipped packs and of the layers of this place.
policy:
    cargo run --quiet -- policy test

# The static binary.
build:
    cargo build --release --target {{arch()}}-unknown-linux-musl

# Start-up and memory beside bash.
startup rounds="1000":
    benches/startup.sh {{rounds}}

# bash's own test-suite, with bash and with kibosh.
bash-test-suite:
    benches/bash-test-suite.sh

# What the exec gate costs beside bash.
gate:
    benches/gate.sh

# How long a question and its answer take.
asking:
    cargo bench --bench asking

# Storms of programs under the exec gate.
stress seconds="1800":
    benches/stress.sh {{seconds}}
