# Every target first lets scripts/bootstrap.sh find the tools; what it found is in build/env.sh.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help bootstrap build test helm-test image demo format bench-gpu clean

tools := set -a && . build/env.sh && set +a && export PATH="$$JAVA_HOME/bin:$$PATH" &&
maven := $(tools) "$$MAVEN" -B -ntp

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: ## find the tools, install what is missing where that is allowed
	@scripts/bootstrap.sh

build: bootstrap ## compile and package everything, no tests
	@$(maven) -q -DskipTests package

test: bootstrap ## compile, check format and rules, run every test
	@$(maven) -q spotless:check # takes seconds: said before the tests' minutes
	@$(maven) verify -Pimage -Dgpusnap.image.base=scratch

helm-test: bootstrap ## of those only the ones of chart, images, compose file and examples
	@$(maven) verify -pl snapshot-service,deploy -am -Pimage -Dgpusnap.image.base=scratch -Dgpusnap.native.skip -Dtest='io.gpusnap.deploy.*Test'

image: bootstrap ## the service's image as a file, snapshot-service/target/snapshot-service-image.tar
	@$(maven) -q -pl snapshot-service -Pimage -DskipTests package

demo: build ## freeze, kill and thaw a warm CUDA server through the REST API; KEEP=1 leaves it running
	@$(tools) java -jar samples/demo/target/gpusnap-demo.jar

format: bootstrap ## format the Java code
	@$(maven) -q spotless:apply

bench-gpu: build ## on a GPU machine: every measurement, results under bench/results
	@$(tools) bench/gpu/all

clean: ## remove what the build made (the caches outside the repository stay)
	rm -rf build target gpu-native/target node-daemon/target snapshot-service/target samples/*/target bench/control-plane/target deploy/target bench/store/target
