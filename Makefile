# One-liners over scripts/. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run servers test prove lint bench load simulate clients

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: ## the demo: engine and simulated carrier on this machine; Ctrl-C ends both
	@scripts/run.sh

servers: ## a CQL server and a Redis on this machine, for trying several nodes without containers; Ctrl-C ends both
	@scripts/servers.sh

test: ## every test; installs what it needs, or names the command that does
	@scripts/test.sh

prove: ## the long forms: faults and kills by the hundred, scenarios in full length; hours on a small machine
	@scripts/prove.sh $(ARGS)

lint: ## format, clippy, documentation, licences
	@scripts/lint.sh

bench: ## the bars of docs/performance.md, half an hour: make bench ARGS="ingest fan-out", QUICK=1
	@scripts/bench.sh $(ARGS)

load: ## a minute of load with a verdict and a report: make load ARGS="restart --seconds 30"
	@scripts/load.sh $(ARGS)

simulate: ## the whole engine over simulated ports, seed after seed, until stopped; SEED=n plays one again with its trace; NODES=1: three at once
	@SEED="$(SEED)" SEEDS="$(SEEDS)" FROM="$(FROM)" NODES="$(NODES)" scripts/simulate.sh

clients: ## the strangers' clients that tests use (npm centrifuge and playwright-core, PyPI centrifuge-python, twilio)
	@scripts/setup-tests.sh
