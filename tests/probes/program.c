/* Leaves a mark: what it is called and its first argument. WHERE is the file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef NAME
/* No two of them have the same content. */
__attribute__((used)) static const char own_name[] = NAME;
#endif

int main(int count, char **given) {
  char line[256];
  int log = open(WHERE, O_WRONLY | O_APPEND | O_CREAT, 0666);
  const char *name = count > 0 && given[0] != NULL ? given[0] : "";
  const char *slash = strrchr(name, '/');
  int length = snprintf(line, sizeof line, "%s %s\n", slash != NULL ? slash + 1 : name, count > 1 ? given[1] : "-");
  return log < 0 || write(log, line, length) != length;
}
