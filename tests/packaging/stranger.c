/* A library that somebody left lying about: it says that it was loaded and claims to be the best of all backends. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void loaded(void) {
    FILE *file = fopen(getenv("STRANGER_WAS_HERE"), "a");
    if (file) {
        fputs("loaded\n", file);
        fclose(file);
    }
}

int ggml_backend_score(void) { return 1000000; }
void *ggml_backend_init(void) { return NULL; }
