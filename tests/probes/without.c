/* Starts a program where some calls are refused, as by the filter of a container or by an old kernel.
 *
 * without CALL=ERRNO[,CALL=ERRNO…] PROGRAM [ARGUMENT…]
 *
 * CALL is the name of a call, or "listener": seccomp(2) with a filter that somebody listens to, or "flags":
 * the flag of it that makes waits survive signals.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter program[64];
static unsigned short length;

static void add(unsigned short code, unsigned k, unsigned char yes, unsigned char no) {
  program[length++] = (struct sock_filter){code, yes, no, k};
}

#define LOAD(place) add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, place), 0, 0)
#define GIVE(outcome) add(BPF_RET | BPF_K, outcome, 0, 0)

int main(int count, char **given) {
  if (count < 3) return 2;
  for (char *one = strtok(given[1], ","); one != NULL; one = strtok(NULL, ",")) {
    char *equals = strchr(one, '=');
    if (equals == NULL) return 2;
    *equals = 0;
    int error = strcmp(equals + 1, "ENOSYS") == 0   ? ENOSYS
                : strcmp(equals + 1, "EPERM") == 0  ? EPERM
                : strcmp(equals + 1, "EACCES") == 0 ? EACCES
                : strcmp(equals + 1, "EINVAL") == 0 ? EINVAL
                : strcmp(equals + 1, "EBUSY") == 0  ? EBUSY
                                                    : 0;
    if (error == 0) return 2;
    unsigned outcome = SECCOMP_RET_ERRNO | error;
    LOAD(nr);
    if (strcmp(one, "listener") == 0) {
      /* Not of a question whether the flags are known, which comes without a filter. */
      add(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 5);
      LOAD(args[1]);
      add(BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 3);
      LOAD(args[2]);
      add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
      GIVE(outcome);
      continue;
    }
    if (strcmp(one, "flags") == 0) {
      add(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3);
      LOAD(args[1]);
      add(BPF_JMP | BPF_JSET | BPF_K, 1 << 5, 0, 1);
      GIVE(outcome);
      continue;
    }
    int call = strcmp(one, "seccomp") == 0              ? SYS_seccomp
               : strcmp(one, "ptrace") == 0             ? SYS_ptrace
               : strcmp(one, "process_vm_readv") == 0   ? SYS_process_vm_readv
               : strcmp(one, "pidfd_open") == 0         ? SYS_pidfd_open
               : strcmp(one, "pidfd_getfd") == 0        ? SYS_pidfd_getfd
               : strcmp(one, "prctl") == 0              ? SYS_prctl
               : strcmp(one, "mmap") == 0               ? SYS_mmap
               : strcmp(one, "clone") == 0              ? SYS_clone
               : strcmp(one, "close_range") == 0        ? SYS_close_range
                                                        : -1;
    if (call < 0) return 2;
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    GIVE(outcome);
  }
  GIVE(SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {length, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("without");
    return 2;
  }
  execvp(given[2], given + 2);
  perror(given[2]);
  return 2;
}
