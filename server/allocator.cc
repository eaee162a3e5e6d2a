// How the process keeps its memory: by jemalloc, which is linked in place of libc's allocator,
// since a call's messages are allocated in one thread and released in another, and by thousands at
// once. Debian's jemalloc reads this name.
extern "C" {
// What is not used any more goes back to the system after ten seconds, also where nothing else
// happens by then: one huge answer does not stay for ever.
extern const char* const malloc_conf;
const char* const malloc_conf = "background_thread:true";
}
