// Freed memory goes back to the system, rather than wait for somebody to want it.
//
// The allocator (mimalloc, where the program is linked with it) keeps a heap a thread, and finds only when that thread
// allocates what others have freed of it and which of its pages are empty: after a storm a quiet thread would keep them.
//
//   give_back_memory();   // on a slow timer of each thread that allocates much
#pragma once

namespace hawser {

// What the calling thread's heap does not use any more. Takes a millisecond or so for each hundred MiB of heap; nothing
// under other allocators.
void give_back_memory() noexcept;

}  // namespace hawser
