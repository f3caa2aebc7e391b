/* The wall clock of one process, set by so many seconds as a file says: preloaded before libc by clock-faults.ts. The steady clock
   is left alone, as it is by a real step. No allocation: allocators ask for the time, too. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *path;

__attribute__((constructor)) static void begin(void) { path = getenv("CHAOS_CLOCK"); }

static long offset(void) {
  char text[16];
  if (path == 0) return 0;
  long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
  if (file < 0) return 0;
  long size = syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  if (size <= 0) return 0;
  text[size] = 0;
  long value = 0;
  for (char *at = text; *at; at += 1) if (*at >= '0' && *at <= '9') value = value * 10 + *at - '0';
  return text[0] == '-' ? -value : value;
}

int clock_gettime(clockid_t id, struct timespec *to) {
  int failed = syscall(SYS_clock_gettime, id, to);
  if (failed == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) to->tv_sec += offset();
  return failed;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  to->tv_sec = now.tv_sec;
  to->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != 0) *to = now.tv_sec;
  return now.tv_sec;
}
