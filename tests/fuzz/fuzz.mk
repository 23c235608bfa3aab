# Fuzz targets: the product's own Makefile with clang and coverage feedback. Used by tests/fuzz/run.sh:
# make -f Makefile -f tests/fuzz/fuzz.mk BUILD=build/fuzz fuzz-targets
CC = clang
CXX = clang++
OPT = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LINK_SAN = -fsanitize=address,undefined
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz_%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(BUILD)/libtrunkline.a
	$(call say,LD )
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(BUILD)/libtrunkline.a $(LIBS)
