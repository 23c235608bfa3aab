# Trunkline. `make help` lists what can be done; README.md says what it is.
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules
# make V=1 shows every command.
Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)  $@')
.DELETE_ON_ERROR:

# --- where things go ----------------------------------------------------------------------------
BUILD ?= build
# One name for each file, however the folder was named: else headers are forgotten.
override BUILD := $(abspath $(BUILD))
STATE ?= var
HTTPS_PORT ?= 8443
HTTP_PORT ?= 8080
WEB_WORKERS ?= 4
HOOK_WORKERS ?= 2
SANDBOX ?=
PREFIX ?= /usr

# --- packages: each one with its reason ---------------------------------------------------------
# Runs it: nginx, spawn-fcgi, multiwatch, postgresql-15, openssl (the certificate of `make run`).
# Builds it: libfcgi-dev, libpq-dev, libcurl4-openssl-dev, libjansson-dev, libjwt-dev, libssl-dev (HMAC,
# AES), libcrypt-dev (yescrypt), libxml2-dev + libarchive-dev (.xlsx), libphonenumber-dev (numbers of all
# countries),
# libmicrohttpd-dev (the sandbox's server only).
RUN_PACKAGES = nginx spawn-fcgi multiwatch postgresql-15 openssl ca-certificates procps
BUILD_PACKAGES = gcc g++ libc6-dev make pkg-config gawk libfcgi-dev libpq-dev libcurl4-openssl-dev \
	libjansson-dev libjwt-dev libssl-dev libcrypt-dev libxml2-dev libarchive-dev libphonenumber-dev \
	libmicrohttpd-dev
TEST_PACKAGES = libcmocka-dev python3 python3-pytest python3-requests python3-psycopg2 python3-jsonschema \
	python3-selenium chromium chromium-driver jq curl clang libclang-rt-14-dev llvm systemd
# What it is measured against: tests/bench; packages of npm are pinned in its package-lock.json. They need
# Node.js 20 with npm, which Debian 12 does not have: it is asked for by name where it is missing.
BENCH_PACKAGES = redis-server uvicorn python3-fastapi python3-aiosqlite python3-asyncpg \
	python3-jinja2 python3-pystache python3-httpx libcmocka-dev python3-requests python3-psycopg2
COVERAGE_PACKAGES = gcovr valgrind
LINT_PACKAGES = clang-tidy clang-format cppcheck shellcheck clang

# --- compiling ----------------------------------------------------------------------------------
CC = gcc
CXX = g++
WARN = -Wall -Wextra -Werror -Wshadow -Wformat=2 -Wvla -Wundef -Wpointer-arith -Wwrite-strings
WARN_C = $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
HARDEN = -fstack-protector-strong -fPIE -fno-plt -fcf-protection
ifeq ($(SAN),1)
OPT = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK_SAN = -fsanitize=address,undefined
else
OPT = -O2 -g -D_FORTIFY_SOURCE=2
endif
XML := $(shell pkg-config --cflags libxml-2.0 libpq 2>/dev/null)
CPPFLAGS = -D_GNU_SOURCE -Ifcgi -I$(BUILD)/gen $(XML)
CFLAGS = -std=gnu11 $(OPT) $(HARDEN) $(WARN_C)
CXXFLAGS = -std=c++17 $(OPT) $(HARDEN) $(WARN)
LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LINK_SAN)
LIBS = -lfcgi -lpq -lcurl -ljansson -ljwt -lcrypto -lcrypt -lxml2 -larchive -lphonenumber -lstdc++ -lm \
	-pthread
SANDBOX_LIBS = -lmicrohttpd -lcurl -ljansson -ljwt -lcrypto -lcrypt -lm

FOLDERS = base store http net rules providers engine pages hooks
SOURCES := $(wildcard $(FOLDERS:%=fcgi/%/*.c)) $(wildcard fcgi/rules/*.cc)
# What trunkline-web loads late (fcgi/late.c): nothing of it but these names is seen from outside.
LATE_SOURCES = fcgi/rules/phone_check.cc \
	$(patsubst %,fcgi/base/%.c,sheet sheet_number part spool arena str error)
LATE_OBJECTS := $(patsubst fcgi/%,$(BUILD)/late/%.o,$(LATE_SOURCES))
OBJECTS := $(patsubst fcgi/%,$(BUILD)/obj/%.o,$(SOURCES))
SANDBOX_OBJECTS := $(patsubst fcgi/%,$(BUILD)/obj/%.o,$(wildcard fcgi/sandbox/*.c))
QUERIES := $(wildcard sql/queries/*.sql)
PROGRAMS = $(BUILD)/trunkline-web $(BUILD)/trunkline-dialer $(BUILD)/trunkline $(BUILD)/trunkline-sandbox \
	$(BUILD)/trunkline-late.so
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all help unit clean
all: $(PROGRAMS) $(BUILD)/static/manifest ## build the programs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BUILD)/gen/queries.h: $(QUERIES) sql/embed.awk
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)awk -v mode=h -f sql/embed.awk $(QUERIES) > $@
$(BUILD)/gen/queries.c: $(QUERIES) sql/embed.awk
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)awk -f sql/embed.awk $(QUERIES) > $@

$(BUILD)/obj/%.c.o: fcgi/%.c | $(BUILD)/gen/queries.h
	@mkdir -p $(@D)
	$(call say,CC )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/%.cc.o: fcgi/%.cc
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/late/%.c.o: fcgi/%.c
	@mkdir -p $(@D)
	$(call say,CC )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(BUILD)/late/%.cc.o: fcgi/%.cc
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(BUILD)/trunkline-late.so: $(LATE_OBJECTS)
	$(call say,LD )
	$(Q)echo '{ global: sheet_*; phone_check; local: *; };' > $(BUILD)/late/names
	$(Q)$(CC) -shared -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,-Bsymbolic $(LINK_SAN) -o $@ \
		-Wl,--version-script=$(BUILD)/late/names $^ $(LIBS)
$(BUILD)/obj/queries.o: $(BUILD)/gen/queries.c $(BUILD)/gen/queries.h
	@mkdir -p $(@D)
	$(call say,CC )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/libtrunkline.a: $(OBJECTS) $(BUILD)/obj/queries.o
	$(call say,AR )
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/trunkline-web: $(BUILD)/obj/web.c.o $(BUILD)/obj/late.c.o $(BUILD)/libtrunkline.a
	$(call say,LD )
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/trunkline-dialer: $(BUILD)/obj/dialer.c.o $(BUILD)/libtrunkline.a
	$(call say,LD )
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/trunkline: $(BUILD)/obj/ctl.c.o $(BUILD)/libtrunkline.a
	$(call say,LD )
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/trunkline-sandbox: $(BUILD)/obj/sandbox.c.o $(SANDBOX_OBJECTS) $(BUILD)/libtrunkline.a
	$(call say,LD )
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(SANDBOX_LIBS)

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libtrunkline.a
	@mkdir -p $(@D)
	$(call say,LD )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libtrunkline.a -lcmocka $(LIBS)
unit: $(UNIT) ## build the unit tests (in $(BUILD))

# Static files get the hash of their content into their names, so that browsers may keep them for a year.
STATIC := $(shell find static -type f)
$(BUILD)/static/manifest: $(STATIC)
	$(call say,GEN)
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp -r static/. $(@D)/
	$(Q)cd $(@D) && for f in *.css *.js *.svg; do [ -f "$$f" ] || continue; \
		h=$$(sha256sum "$$f" | cut -c1-10); n=$${f%.*}.$$h.$${f##*.}; \
		cp "$$f" "$$n" && gzip -9nk "$$n" && echo "$$f $$n"; done > manifest

# --- running it ---------------------------------------------------------------------------------
.PHONY: run prerequisites test-prerequisites
prerequisites: ## install (as root) or check the packages that run and build it
	@systemd/packages.sh $(RUN_PACKAGES) $(BUILD_PACKAGES)
test-prerequisites: prerequisites ## … and those that test it
	@systemd/packages.sh $(TEST_PACKAGES) $(DEB_PACKAGES)
run: prerequisites ## run everything in the foreground: https://localhost:$(HTTPS_PORT)
	@$(MAKE) -s --no-print-directory -j2 BUILD=$(BUILD) SAN=$(SAN) all
	@exec env HTTPS_PORT=$(HTTPS_PORT) HTTP_PORT=$(HTTP_PORT) WEB_WORKERS=$(WEB_WORKERS) \
		HOOK_WORKERS=$(HOOK_WORKERS) SANDBOX=$(SANDBOX) systemd/run.sh $(abspath $(BUILD)) $(abspath $(STATE))

# --- installing it ------------------------------------------------------------------------------
# Needs no tool of any distribution. DESTDIR= for packagers; the settings' file is never replaced.
.PHONY: install
DESTDIR ?=
SYSCONFDIR ?= /etc
LIBDIR ?= $(PREFIX)/lib/trunkline
SHAREDIR ?= $(PREFIX)/share/trunkline
UNITDIR ?= $(PREFIX)/lib/systemd/system
# The group of nginx's workers, which alone may write into the sockets.
NGINX_GROUP ?= www-data
# Files name the usual paths; another PREFIX puts its own in.
here = sed -e 's|/usr/lib/trunkline|$(LIBDIR)|g; s|/usr/share/trunkline|$(SHAREDIR)|g' \
	-e 's|/usr/bin/trunkline|$(PREFIX)/bin/trunkline|g; s|/etc/trunkline|$(SYSCONFDIR)/trunkline|g' \
	-e 's|www-data|$(NGINX_GROUP)|g'
install: all ## put it into $(DESTDIR)$(PREFIX) and $(DESTDIR)$(SYSCONFDIR)
	$(Q)install -d "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(SHAREDIR)" \
		"$(DESTDIR)$(UNITDIR)" "$(DESTDIR)$(PREFIX)/lib/sysusers.d" \
		"$(DESTDIR)$(PREFIX)/lib/tmpfiles.d"
	$(Q)install -d -m 0750 "$(DESTDIR)$(SYSCONFDIR)/trunkline" "$(DESTDIR)$(SYSCONFDIR)/trunkline/keys"
	$(Q)install -m 0755 $(filter-out %.so,$(PROGRAMS)) "$(DESTDIR)$(LIBDIR)/"
	$(Q)install -m 0644 $(filter %.so,$(PROGRAMS)) "$(DESTDIR)$(LIBDIR)/"
	$(Q)cd systemd && for f in pool.sh reload.sh setup.sh settings.sh; do \
		$(here) "$$f" > "$(DESTDIR)$(LIBDIR)/$$f" && chmod 0755 "$(DESTDIR)$(LIBDIR)/$$f" || exit 1; done
	$(Q)$(here) systemd/trunkline.sh > "$(DESTDIR)$(PREFIX)/bin/trunkline"
	$(Q)chmod 0755 "$(DESTDIR)$(PREFIX)/bin/trunkline"
	$(Q)cd systemd && for f in *.service *.socket *.timer *.target *.service.d/*.conf; do \
		install -d "$$(dirname "$(DESTDIR)$(UNITDIR)/$$f")" && \
		$(here) "$$f" > "$(DESTDIR)$(UNITDIR)/$$f" && chmod 0644 "$(DESTDIR)$(UNITDIR)/$$f" || exit 1; done
	$(Q)for k in sysusers tmpfiles; do f="$(DESTDIR)$(PREFIX)/lib/$$k.d/trunkline.conf"; \
		$(here) "systemd/trunkline-$$k.conf" > "$$f" && chmod 0644 "$$f" || exit 1; done
	$(Q)rm -rf "$(DESTDIR)$(SHAREDIR)"/{templates,static,sql,nginx}
	$(Q)cp -r templates sql nginx "$(BUILD)/static" "$(DESTDIR)$(SHAREDIR)/"
	$(Q)install -m 0644 systemd/trunkline.rules.yml "$(DESTDIR)$(SHAREDIR)/"
	$(Q)rm -f "$(DESTDIR)$(SHAREDIR)/sql/embed.awk" && rm -rf "$(DESTDIR)$(SHAREDIR)/sql/queries"
	$(Q)chmod -R u=rwX,go=rX "$(DESTDIR)$(SHAREDIR)"
	$(Q)install -d "$(DESTDIR)$(PREFIX)/share/man/man5" "$(DESTDIR)$(PREFIX)/share/man/man8" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions"
	$(Q)cd systemd/man && for f in *; do $(here) "$$f" > "$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$$f" && \
		chmod 0644 "$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$$f" || exit 1; done
	$(Q)install -m 0644 systemd/trunkline.bash-completion \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/trunkline"
	$(Q)f="$(DESTDIR)$(SYSCONFDIR)/trunkline/trunkline.env"; [ -e "$$f" ] || { \
		$(here) systemd/trunkline.env > "$$f"; \
		[ "$(SHAREDIR)" = /usr/share/trunkline ] || printf '%s=%s\n' SQL_DIR "$(SHAREDIR)/sql" \
			TEMPLATE_DIR "$(SHAREDIR)/templates" STATIC_DIR "$(SHAREDIR)/static" \
			PROMPT_DIR "$(SHAREDIR)/templates/prompts" >> "$$f"; chmod 0640 "$$f"; }

# --- the Debian package -------------------------------------------------------------------------
# Builds it: debhelper, dpkg-dev; judges it: lintian, mandoc (the manual's pages).
DEB_PACKAGES = debhelper dpkg-dev lintian mandoc man-db bash-completion
# 1.0.<commits>: each commit makes a higher one. DATE= and VERSION= where there is no git.
VERSION ?= 1.0.$(shell git rev-list --count HEAD 2>/dev/null || echo 0)
DATE ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)
DEB = $(BUILD)/deb
DEB_SOURCES = Makefile README.md fcgi nginx sql static systemd templates
.PHONY: deb
deb: ## the Debian package, into $(BUILD)/deb (VERSION=)
	@systemd/packages.sh $(BUILD_PACKAGES) $(DEB_PACKAGES)
	$(Q)rm -rf "$(DEB)/trunkline" "$(DEB)"/trunkline*_*.* && mkdir -p "$(DEB)/trunkline"
	$(Q)cp -a $(DEB_SOURCES) "$(DEB)/trunkline/" && mv "$(DEB)/trunkline/systemd/debian" "$(DEB)/trunkline/"
	$(Q)printf 'trunkline (%s) bookworm; urgency=medium\n\n  * As of %s.\n\n -- %s  %s\n' "$(VERSION)" \
		"$$(date -u -d @$(DATE) +%F)" "$$(sed -n 's/^Maintainer: //p' systemd/debian/control)" \
		"$$(date -uR -d @$(DATE))" > "$(DEB)/trunkline/debian/changelog"
	$(Q)cd "$(DEB)/trunkline" && env -u MAKEFLAGS -u MFLAGS -u BUILD OBJECTS="$(DEB)/obj" \
		SOURCE_DATE_EPOCH=$(DATE) DEB_BUILD_OPTIONS=parallel=2 V=$(V) \
		dpkg-buildpackage -us -uc -b > "$(DEB)/build.log" 2>&1 || { tail -30 "$(DEB)/build.log" >&2; exit 1; }
	@ls "$(DEB)"/trunkline_$(VERSION)_*.deb

# --- testing it ---------------------------------------------------------------------------------
.PHONY: vps
# What boots a machine and looks at it from outside; promtool is fetched without its server.
VPS_PACKAGES = debootstrap systemd-container e2fsprogs iproute2 util-linux wrk testssl.sh chromium \
	chromium-driver python3 python3-requests python3-selenium git curl
vps: ## the package on a bare machine that systemd-nspawn boots (PARTS= OLD=); "N passed, N failed"
	@systemd/packages.sh $(BUILD_PACKAGES) $(DEB_PACKAGES) $(VPS_PACKAGES)
	@BUILD=$(BUILD) PARTS=$(PARTS) OLD=$(OLD) tests/vps/run.sh
.PHONY: test lint fuzz chaos bench load coverage valgrind
test: test-prerequisites ## everything that must hold; ends with "N passed, N failed"
	@tests/run.sh
lint: ## style, static analysis, include directions, statements against the schema
	@systemd/packages.sh $(LINT_PACKAGES)
	@tests/lint.sh

fuzz: test-prerequisites ## libFuzzer on all that a stranger can reach (SECONDS=60 TARGETS=); "N crashes"
	@FUZZ_SECONDS=$(or $(SECONDS),$(FUZZ_SECONDS)) tests/fuzz/run.sh
chaos: test-prerequisites ## break everything during a campaign (SECONDS=300 SEED=); "N lost, N twice"
	@CHAOS_SECONDS=$(SECONDS) SEED=$(SEED) LEADS=$(LEADS) tests/chaos/run.sh
bench: test-prerequisites ## measured beside its limits and its peers (PROBES= QUICK=1); "bars held: N of M"
	@systemd/packages.sh $(BENCH_PACKAGES)
	@$(MAKE) -s --no-print-directory -j2 BUILD=$(BUILD) all
	@BUILD=$(abspath $(BUILD)) tests/bench/run.sh
load: test-prerequisites ## ten minutes of everything at once (SECONDS=600); "N errors"
	@systemd/packages.sh $(BENCH_PACKAGES)
	@$(MAKE) -s --no-print-directory -j2 BUILD=$(BUILD) all
	@BUILD=$(abspath $(BUILD)) tests/bench/run.sh load
coverage: test-prerequisites ## lines and branches of rules/, hooks/, engine/ that the tests run
	@systemd/packages.sh $(COVERAGE_PACKAGES)
	@tests/coverage.sh
valgrind: test-prerequisites ## a worker and a dialer under memcheck
	@systemd/packages.sh $(COVERAGE_PACKAGES)
	@tests/valgrind.sh

clean: ## remove what was built
	rm -rf build

-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
