/* Tries to exchange what an exec is judged by before the kernel takes it.
 *
 * race CLASS TRIES HARMLESS HARMFUL
 *
 * HARMLESS and HARMFUL are programs; HARMLESS is started with the word "ok", which is exchanged for "all"
 * (argv), or the link "link" in the working directory, which leads to HARMLESS, is exchanged for one that
 * leads to HARMFUL (symlink). Whether that was noticed, the programs tell.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char private_word[8] = "ok";
static char *word = private_word;
static volatile int go_on = 1;

static void exchange(char *at) {
  memcpy(at, "all", 4);
  __sync_synchronize();
  for (volatile int i = 0; i < 300; i++) {
  }
  memcpy(at, "ok", 3);
  __sync_synchronize();
  for (volatile int i = 0; i < 300; i++) {
  }
}

static void *thread(void *unused) {
  (void)unused;
  while (go_on) exchange(word);
  return NULL;
}

static void start_thread(void) {
  pthread_t id;
  if (pthread_create(&id, NULL, thread, NULL) != 0) abort();
}

static char *arguments[3];

static void start(const char *program) {
  execv(program, arguments);
  _exit(errno == ECANCELED ? 125 : 124);
}

int main(int count, char **given) {
  if (count != 5) return 2;
  const char *kind = given[1];
  long tries = atol(given[2]);
  const char *harmless = given[3], *harmful = given[4];
  pid_t peer = 0;
  if (strcmp(kind, "shared") == 0) {
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (word == MAP_FAILED) abort();
    strcpy(word, "ok");
    peer = fork();
    if (peer == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      thread(NULL);
    }
  } else if (strcmp(kind, "symlink") == 0) {
    word = "all";
    symlink(harmless, "link");
    symlink(harmless, "to-harmless");
    symlink(harmful, "to-harmful");
    peer = fork();
    if (peer == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) {
        link("to-harmful", "new");
        rename("new", "link");
        unlink("new");
        link("to-harmless", "new");
        rename("new", "link");
        unlink("new");
      }
    }
  } else if (strcmp(kind, "vfork") == 0) {
    start_thread();
  }
  const char *program = strcmp(kind, "symlink") == 0 ? "./link" : harmless;
  arguments[0] = "program";
  arguments[1] = word;
  for (long i = 0; i < tries; i++) {
    pid_t child, writer = 0;
    if (strcmp(kind, "vfork") == 0) {
      child = vfork();
      if (child == 0) start(program);
    } else {
      int pair[2];
      if (pipe(pair) != 0) abort();
      child = fork();
      if (child == 0) {
        char go;
        if (strcmp(kind, "thread") == 0) start_thread();
        if (strcmp(kind, "writev") == 0 && read(pair[0], &go, 1) != 1) _exit(3);
        start(program);
      }
      if (strcmp(kind, "writev") == 0) {
        writer = fork();
        if (writer == 0) {
          prctl(PR_SET_PDEATHSIG, SIGKILL);
          char other[4] = "all";
          struct iovec from = {other, 4}, to = {private_word, 4};
          for (int round = 0;; round++) {
            memcpy(other, round % 2 ? "all" : "ok\0", 4);
            if (process_vm_writev(child, &from, 1, &to, 1, 0) < 0) _exit(0);
            if (round == 3 && write(pair[1], "g", 1) != 1) _exit(0);
          }
        }
      }
      close(pair[0]);
      close(pair[1]);
    }
    int status;
    if (child > 0) waitpid(child, &status, 0);
    if (writer > 0) {
      kill(writer, SIGKILL);
      waitpid(writer, &status, 0);
    }
  }
  go_on = 0;
  if (peer > 0) {
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
  }
  return 0;
}
