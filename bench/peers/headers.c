/* headers FILE RUNS: opens each path that FILE names, reads 4 KiB, closes it; prints the seconds of each run as a JSON array. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  FILE *list = fopen(argv[1], "r");
  if (!list) return 1;
  char **paths = NULL, *line = NULL;
  size_t count = 0, room = 0, size = 0;
  for (ssize_t length; (length = getline(&line, &size, list)) > 0;) {
    line[length - 1] = '\0';
    if (count == room) paths = realloc(paths, (room = room ? room * 2 : 1024) * sizeof *paths);
    paths[count++] = strdup(line);
  }
  int runs = atoi(argv[2]);
  for (int run = 0; run < runs; run++) {
    double started = now();
    for (size_t i = 0; i < count; i++) {
      static char head[4096];
      int fd = open(paths[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (fd < 0 || pread(fd, head, sizeof head, 0) < 72 || memcmp(head, "QFI\xfb", 4)) return 1;
      close(fd);
    }
    printf("%s%.6f", run ? "," : "[", now() - started);
  }
  puts("]");
  return 0;
}
