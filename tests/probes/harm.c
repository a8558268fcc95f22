/* Tries to do something to a process, and says with which error that failed; "done" where it did not.
 *
 * harm WAY PROCESS [USER]
 *
 * USER is who tries it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int opened(pid_t process, const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  int file = open(path, flags);
  if (file < 0 || (flags & O_ACCMODE) == O_WRONLY) return file < 0 ? -1 : 0;
  char byte;
  return read(file, &byte, 1) < 0 ? -1 : 0;
}

#ifdef __x86_64__
static int call_32(int number, int one, int two, int three) {
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(one), "c"(two), "d"(three)
                   : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = -result;
  return -1;
}
#endif

int main(int count, char **given) {
  if (count < 3) return 2;
  const char *way = given[1];
  pid_t process = atoi(given[2]);
  if (count > 3) {
    uid_t user = atoi(given[3]);
    if (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0) return 2;
    prctl(PR_SET_DUMPABLE, 1);
  }
  siginfo_t told = {.si_signo = SIGTERM, .si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
  char byte = 0;
  struct iovec own = {&byte, 1}, theirs = {(void *)0x1000, 1};
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  struct sock_fprog filter = {1, &allow};
  long done = -1;
  errno = 0;
  if (strcmp(way, "signal") == 0) done = kill(process, SIGKILL);
  else if (strcmp(way, "nothing") == 0) done = kill(process, 0);
  else if (strcmp(way, "hold") == 0) done = kill(process, SIGSTOP);
  else if (strcmp(way, "group") == 0) done = kill(-process, SIGKILL);
  else if (strcmp(way, "all") == 0) done = kill(-1, SIGCONT);
  else if (strcmp(way, "wide") == 0) done = syscall(SYS_kill, 0x100000000L | process, SIGKILL);
  else if (strcmp(way, "tkill") == 0) done = syscall(SYS_tkill, process, SIGKILL);
  else if (strcmp(way, "tgkill") == 0) done = syscall(SYS_tgkill, process, process, SIGKILL);
  else if (strcmp(way, "queue") == 0) done = syscall(SYS_rt_sigqueueinfo, process, SIGTERM, &told);
  else if (strcmp(way, "queue-thread") == 0) done = syscall(SYS_rt_tgsigqueueinfo, process, process, SIGTERM, &told);
  else if (strcmp(way, "pidfd") == 0) done = syscall(SYS_pidfd_open, process, 0);
  else if (strcmp(way, "pidfd-thread") == 0) done = syscall(SYS_pidfd_open, process, O_EXCL);
  else if (strncmp(way, "folder", 6) == 0) {
    /* A folder below /proc is a pidfd, too (pidfd_send_signal(2)). */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", process);
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    done = folder < 0 ? -1 : syscall(SYS_pidfd_send_signal, folder, way[6] != 0 ? SIGKILL : 0, NULL, 0);
  } else if (strcmp(way, "attach") == 0) done = ptrace(PTRACE_ATTACH, process, NULL, NULL);
  else if (strcmp(way, "seize") == 0) done = ptrace(PTRACE_SEIZE, process, NULL, NULL);
  else if (strcmp(way, "read") == 0) done = process_vm_readv(process, &own, 1, &theirs, 1, 0);
  else if (strcmp(way, "write") == 0) done = process_vm_writev(process, &own, 1, &theirs, 1, 0);
  else if (strcmp(way, "mem") == 0) done = opened(process, "mem", O_WRONLY);
  else if (strcmp(way, "mem-read") == 0) done = opened(process, "mem", O_RDONLY);
  else if (strcmp(way, "maps") == 0) done = opened(process, "maps", O_RDONLY);
  else if (strcmp(way, "environ") == 0) done = opened(process, "environ", O_RDONLY);
  else if (strcmp(way, "fd") == 0) done = opened(process, "fd/0", O_RDONLY);
  else if (strcmp(way, "limits") == 0) {
    struct rlimit none = {0, 0};
    done = prlimit(process, RLIMIT_NOFILE, &none, NULL);
  } else if (strcmp(way, "nice") == 0) done = setpriority(PRIO_PROCESS, process, 19);
  else if (strcmp(way, "listener") == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  } else if (strcmp(way, "filter") == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
  } else if (strcmp(way, "keys") == 0) done = ioctl(0, TIOCSTI, "x");
  else if (strcmp(way, "keys-wide") == 0) done = syscall(SYS_ioctl, 0, 0x100000000L | TIOCSTI, "x");
  else if (strcmp(way, "console") == 0) done = ioctl(0, TIOCLINUX, &byte);
  else if (strcmp(way, "owner") == 0) {
    /* Keys of a terminal that sends SIGIO to whom it is told. */
    done = fcntl(0, F_SETOWN, process);
  } else if (strcmp(way, "wait") == 0) done = waitpid(process, NULL, WNOHANG | __WALL) < 0 ? -1 : 0;
#ifdef __x86_64__
  else if (strcmp(way, "signal-32") == 0) done = call_32(37, process, SIGKILL, 0);
  else if (strcmp(way, "tgkill-32") == 0) done = call_32(270, process, process, SIGKILL);
  else if (strcmp(way, "attach-32") == 0) done = call_32(26, PTRACE_ATTACH, process, 0);
  else if (strcmp(way, "pidfd-32") == 0) done = call_32(434, process, 0, 0);
  else if (strcmp(way, "signal-x32") == 0) done = syscall(0x40000000 | SYS_kill, process, SIGKILL);
#endif
  else return 2;
  printf("%s\n", done >= 0 ? "done" : strerrorname_np(errno));
  return 0;
}
