/* Stands for every program that a command of the packs names: writes down its words and does nothing else. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between words, and behind the last one: neither stands in any word. */
#define WORD '\x1f'
#define END '\x1e'

static char record[1 << 16];

int main(int count, char **given) {
  size_t length = 0;
  for (int at = 0; at < count; at++) {
    size_t more = strlen(given[at]);
    if (length + more + 2 > sizeof record) return 1;
    if (at > 0) record[length++] = WORD;
    memcpy(record + length, given[at], more);
    length += more;
  }
  record[length++] = END;
  const char *place = getenv("STUB_LOG");
  int log = place ? open(place, O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;
  return log < 0 || write(log, record, length) != (ssize_t)length;
}
