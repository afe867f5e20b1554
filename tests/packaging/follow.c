/* Preloaded into a program under qemu-user: what it starts is emulated as well. Without this, the processor that
   qemu pretends to be ends at the first exec. EMULATOR is the path of qemu; it reads its processor from QEMU_CPU. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int execve(const char *path, char *const argv[], char *const envp[]) {
    int (*next)(const char *, char *const[], char *const[]) = dlsym(RTLD_NEXT, "execve");
    const char *emulator = getenv("EMULATOR");
    char *words[64];
    size_t count = 0, from = 1;
    if (!emulator || strcmp(path, emulator) == 0) return next(path, argv, envp);
    words[count++] = (char *)emulator;
    words[count++] = "-0";
    words[count++] = argv[0];
    words[count++] = (char *)path;
    while (argv[0] && argv[from] && count < 63) words[count++] = argv[from++];
    words[count] = NULL;
    return next(emulator, words, envp);
}

int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

int execvp(const char *file, char *const argv[]) {
    int (*next)(const char *, char *const[]) = dlsym(RTLD_NEXT, "execvp");
    return strchr(file, '/') ? execve(file, argv, environ) : next(file, argv);
}
