/* Starts a program in one of many forms.
 *
 * start FILE
 *
 * The file holds FORM PATH [ARGV0 [ARGUMENT…]], each with a NUL behind it, so that they are not judged as words
 * of this program.
 *
 * Where that fails it says with which error, and ends with 0: whether the program was started, the program
 * tells. Forms that start a child wait for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *of_thread(void *given) {
  char **words = given;
  execve(words[0], words + 1, environ);
  printf("%s\n", strerrorname_np(errno));
  fflush(stdout);
  _exit(0);
}

static int failed(int error) {
  printf("%s\n", error == 0 ? "nothing" : strerrorname_np(error));
  return 0;
}

static int wait_for(pid_t child) {
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return failed(errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A file without a name that holds what PATH holds. */
static int copy_in_memory(const char *path, unsigned flags) {
  int from = open(path, O_RDONLY), to = memfd_create("copy", flags);
  struct stat data;
  if (from < 0 || to < 0 || fstat(from, &data) != 0) abort();
  for (off_t left = data.st_size; left > 0;) {
    ssize_t sent = sendfile(to, from, NULL, left);
    if (sent <= 0) abort();
    left -= sent;
  }
  close(from);
  return to;
}

static int at(int folder, const char *path, char **argv, int flags) {
  return syscall(SYS_execveat, folder, path, argv, environ, flags);
}

#ifdef __x86_64__
/* A text where 32-bit calls can name it. */
static char *low(const void *from, size_t size) {
  static char *next, *end;
  if (next == NULL) {
    next = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (next == MAP_FAILED) abort();
    end = next + (1 << 20);
  }
  next = (char *)(((uintptr_t)next + 7) & ~(uintptr_t)7);
  if (next + size > end) abort();
  char *place = memcpy(next, from, size);
  next += size;
  return place;
}

static uint32_t *low_vector(char **texts) {
  uint32_t places[256];
  size_t count = 0;
  for (; texts[count] != NULL && count < 255; count++)
    places[count] = (uint32_t)(uintptr_t)low(texts[count], strlen(texts[count]) + 1);
  places[count++] = 0;
  return (uint32_t *)low(places, count * sizeof *places);
}

static int call_32(uint32_t number, uint32_t one, uint32_t two, uint32_t three, uint32_t four, uint32_t five) {
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(one), "c"(two), "d"(three), "S"(four), "D"(five)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}
#endif

int main(int count, char **given) {
  static char text[1 << 16], *words[4096] = {"start"};
  int from = count == 2 ? open(given[1], O_RDONLY) : -1;
  ssize_t length = from < 0 ? -1 : read(from, text, sizeof text);
  if (length < 0) return 2;
  close(from);
  count = 1;
  for (char *at = text; at < text + length && count < 4095; at += strlen(at) + 1) words[count++] = at;
  given = words;
  if (count < 3) return 2;
  const char *form = given[1];
  char *path = given[2];
  char **argv = given + 3;
  char *none[] = {NULL};
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(form, "execve") == 0) {
    execve(path, argv, environ);
  } else if (strcmp(form, "execvp") == 0) {
    execvp(path, argv);
  } else if (strcmp(form, "null") == 0) {
    syscall(SYS_execve, path, NULL, NULL);
  } else if (strcmp(form, "empty") == 0) {
    execve(path, none, environ);
  } else if (strcmp(form, "nowhere") == 0) {
    syscall(SYS_execve, path, 8L, environ);
  } else if (strcmp(form, "no-path") == 0) {
    syscall(SYS_execve, 8L, argv, environ);
  } else if (strcmp(form, "odd") == 0) {
    char *entries[] = {"", "=", "no-equals", "=x=y", "A=1", "A=2", "\xff\xfe=\x80", NULL};
    execve(path, argv, entries);
  } else if (strcmp(form, "memory") == 0) {
    at(copy_in_memory(path, MFD_CLOEXEC), "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "memory-open") == 0) {
    at(copy_in_memory(path, 0), "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "memory-named") == 0) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", copy_in_memory(path, 0));
    execve(name, argv, environ);
  } else if (strcmp(form, "memory-pid") == 0) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%d", getpid(), copy_in_memory(path, 0));
    execve(name, argv, environ);
  } else if (strcmp(form, "removed") == 0) {
    int file = open(path, O_PATH | O_CLOEXEC);
    unlink(path);
    at(file, "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "held") == 0) {
    at(open(path, O_PATH), "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "held-closing") == 0) {
    at(open(path, O_PATH | O_CLOEXEC), "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "folder") == 0) {
    char *copy = strdup(path);
    int folder = open(dirname(copy), O_PATH | O_DIRECTORY);
    copy = strdup(path);
    at(folder, basename(copy), argv, 0);
  } else if (strcmp(form, "folder-closing") == 0) {
    char *copy = strdup(path);
    int folder = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
    copy = strdup(path);
    at(folder, basename(copy), argv, 0);
  } else if (strcmp(form, "at-here") == 0) {
    at(AT_FDCWD, path, argv, 0);
  } else if (strcmp(form, "at-link") == 0) {
    at(AT_FDCWD, path, argv, AT_SYMLINK_NOFOLLOW);
  } else if (strcmp(form, "at-nothing") == 0) {
    at(-5, path, argv, 0);
  } else if (strcmp(form, "at-empty-nothing") == 0) {
    at(-5, "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "at-empty-here") == 0) {
    at(AT_FDCWD, "", argv, AT_EMPTY_PATH);
  } else if (strcmp(form, "at-no-flag") == 0) {
    at(open(path, O_PATH), "", argv, 0);
  } else if (strcmp(form, "at-odd-flag") == 0) {
    at(AT_FDCWD, path, argv, 0x4000);
  } else if (strcmp(form, "at-file") == 0) {
    at(open(path, O_RDONLY), "x", argv, 0);
  } else if (strcmp(form, "self") == 0) {
    execve("/proc/self/exe", argv, environ);
  } else if (strcmp(form, "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, of_thread, given + 2);
    for (;;) pause();
  } else if (strcmp(form, "spawn") == 0) {
    pid_t child;
    int error = posix_spawn(&child, path, NULL, NULL, argv, environ);
    return error != 0 ? failed(error) : wait_for(child);
  } else if (strcmp(form, "vfork") == 0) {
    volatile int error = 0;
    pid_t child = vfork();
    if (child == 0) {
      execve(path, argv, environ);
      error = errno;
      _exit(0);
    }
    int status = wait_for(child);
    return error != 0 ? failed(error) : status;
  } else if (strcmp(form, "clone3") == 0) {
    struct clone_args how = {.exit_signal = SIGCHLD};
    pid_t child = syscall(SYS_clone3, &how, sizeof how);
    if (child != 0) return wait_for(child);
    execve(path, argv, environ);
  } else if (strcmp(form, "untold") == 0) {
    /* Its end is told by no signal. */
    pid_t child = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (child != 0) {
      int status;
      return waitpid(child, &status, __WCLONE) == child ? 0 : failed(errno);
    }
    execve(path, argv, environ);
  } else if (strcmp(form, "undumpable") == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    execve(path, argv, environ);
  } else if (strcmp(form, "traced") == 0) {
    pid_t child = fork();
    if (child == 0) {
      ptrace(PTRACE_TRACEME, 0, NULL, NULL);
      execve(path, argv, environ);
      _exit(failed(errno));
    }
    int status;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) ptrace(PTRACE_CONT, child, NULL, NULL);
    return 0;
  } else if (strcmp(form, "written") == 0) {
    int file = open(path, O_RDWR);
    if (file < 0) return failed(errno);
    execve(path, argv, environ);
  } else if (strcmp(form, "much") == 0) {
    /* ARGV is followed by 2 MB of words. */
    size_t words = 0;
    while (argv[words] != NULL) words++;
    char **more = calloc(words + 22, sizeof *more);
    memcpy(more, argv, words * sizeof *more);
    for (size_t i = 0; i < 20; i++) {
      more[words + i] = malloc(100001);
      memset(more[words + i], 'x', 100000);
      more[words + i][100000] = 0;
    }
    execve(path, more, environ);
  } else if (strcmp(form, "many") == 0) {
    size_t words = 0;
    while (argv[words] != NULL) words++;
    char **more = calloc(words + 50001, sizeof *more);
    memcpy(more, argv, words * sizeof *more);
    for (size_t i = 0; i < 50000; i++) more[words + i] = i % 2 ? "" : "x";
    execve(path, more, environ);
  } else if (strcmp(form, "long") == 0) {
    /* One word is longer than any may be. */
    char *word = malloc(200001);
    memset(word, 'x', 200000);
    word[200000] = 0;
    char *words[] = {"x", word, NULL};
    execve(path, words, environ);
  } else if (strcmp(form, "too-much") == 0) {
    char *word = malloc(100001);
    memset(word, 'x', 100000);
    word[100000] = 0;
    char *words[202] = {"x"};
    for (size_t i = 1; i < 200; i++) words[i] = word;
    execve(path, words, environ);
#ifdef __x86_64__
  } else if (strcmp(form, "32") == 0) {
    int result = call_32(11, (uint32_t)(uintptr_t)low(path, strlen(path) + 1), (uint32_t)(uintptr_t)low_vector(argv),
                         (uint32_t)(uintptr_t)low_vector(environ), 0, 0);
    return failed(-result);
  } else if (strcmp(form, "32-at") == 0) {
    int result = call_32(358, (uint32_t)AT_FDCWD, (uint32_t)(uintptr_t)low(path, strlen(path) + 1),
                         (uint32_t)(uintptr_t)low_vector(argv), (uint32_t)(uintptr_t)low_vector(environ), 0);
    return failed(-result);
  } else if (strcmp(form, "x32") == 0) {
    syscall(0x40000000 | 520, path, argv, environ);
  } else if (strcmp(form, "x32-59") == 0) {
    syscall(0x40000000 | 59, path, argv, environ);
  } else if (strcmp(form, "high") == 0) {
    /* The kernel looks at the low half of a number only. */
    syscall(0x100000000L | SYS_execve, path, argv, environ);
#endif
  } else {
    return 2;
  }
  return failed(errno);
}
