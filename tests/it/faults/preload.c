// Stands between the engine and the C library (LD_PRELOAD): a wall clock that steps, and a disk whose fsync is slow or
// fails. What to do stands in a file of 64-bit integers, DESKWIRE_FAULTS, that may change while the process runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// The same order as `Slot` in preload.rs.
enum { CLOCK_OFFSET_US, SYNC_DELAY_US, SYNC_FAILS, SYNCS_FAILED, SLOTS };
#define FILES 4096

static volatile int64_t *slots;
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_clock_gettime)(clockid_t, struct timespec *);
// How much of each open file is known to be on the disk.
static struct { ino_t file; off_t synced; } known[FILES];

__attribute__((constructor)) static void begin(void) {
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("DESKWIRE_FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, SLOTS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) slots = mapped;
}

static int sync_file(int file, int (*sync)(int)) {
    if (!slots) return sync(file);
    if (slots[SYNC_DELAY_US] > 0) usleep((useconds_t)slots[SYNC_DELAY_US]);
    struct stat stat;
    int is_known = file < FILES && fstat(file, &stat) == 0 && S_ISREG(stat.st_mode);
    if (slots[SYNC_FAILS]) {
        __atomic_add_fetch(&slots[SYNCS_FAILED], 1, __ATOMIC_RELAXED);
        // Linux calls the pages clean that it could not write, and may forget them at once: what was not on the disk
        // is gone, and the next fsync finds nothing wrong.
        if (is_known && known[file].file == stat.st_ino && known[file].synced < stat.st_size &&
            ftruncate(file, known[file].synced) != 0) abort();
        errno = EIO;
        return -1;
    }
    int done = sync(file);
    if (done == 0 && is_known) {
        known[file].file = stat.st_ino;
        known[file].synced = stat.st_size;
    }
    return done;
}

int fsync(int file) { return sync_file(file, real_fsync); }
int fdatasync(int file) { return sync_file(file, real_fdatasync); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = real_clock_gettime(clock, now);
    if (done != 0 || !slots || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return done;
    int64_t nanoseconds = now->tv_nsec + slots[CLOCK_OFFSET_US] * 1000;
    int64_t seconds = nanoseconds / 1000000000, rest = nanoseconds % 1000000000;
    if (rest < 0) { seconds -= 1; rest += 1000000000; }
    now->tv_sec += seconds;
    now->tv_nsec = rest;
    return 0;
}
