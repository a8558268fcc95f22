/* Leaves a mark: its name and its first argument. Static and small, so that a race is run many times. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **given) {
  char line[64];
  int log = open(MARK, O_WRONLY | O_APPEND | O_CREAT, 0666);
  if (log < 0 || count < 2 || strlen(given[1]) > 20) return 1;
  size_t length = 0;
  memcpy(line, NAME, sizeof NAME - 1);
  length += sizeof NAME - 1;
  line[length++] = ' ';
  memcpy(line + length, given[1], strlen(given[1]));
  length += strlen(given[1]);
  line[length++] = '\n';
  return write(log, line, length) != (ssize_t)length;
}
