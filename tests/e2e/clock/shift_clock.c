/* Shifts the machine's clock for one process: loaded with LD_PRELOAD, it adds CLOCK_SHIFT_S seconds to what the calls
 * say that tell the time of day. Clocks that only measure durations stay as they are, as after a wrong setting. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void)
{
    const char *given = getenv("CLOCK_SHIFT_S");
    return given ? atol(given) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec read;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &read))
        return -1;
    now->tv_sec = read.tv_sec;
    now->tv_usec = read.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where)
{
    struct timespec read;
    if (clock_gettime(CLOCK_REALTIME, &read))
        return (time_t)-1;
    if (where)
        *where = read.tv_sec;
    return read.tv_sec;
}
