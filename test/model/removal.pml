/*
 * Removals in batches against everybody else who uses the cache, for the model checker spin: `npm run model` looks at every order of the steps.
 * README.md beside this file says what each part stands for in the code, and what is left out.
 *
 * NF base files, NS instance directories (each holds one disk or none), NW writers of Nova's kind with LIVES spawns each, NA agents with
 * PASSES passes each, batches of at most BATCH files. Every `;` outside `atomic` is a moment at which anybody else may act.
 */
#ifndef NF
#define NF 2
#endif
#ifndef NS
#define NS 3
#endif
#ifndef NW
#define NW 2
#endif
#ifndef NA
#define NA 1
#endif
#ifndef LIVES
#define LIVES 1
#endif
#ifndef PASSES
#define PASSES 1
#endif
#ifndef BATCH
#define BATCH 2
#endif
/* How many inodes a lock file's path may lead to, one after the other: more than one only where lock files are removed. */
#ifdef LOCK_FILES_REMOVED
#define G 4
#else
#define G 1
#endif

bit exists[NF];        /* the base file is there */
bit old[NF];           /* it has the mtime of the plan, and that is long enough ago */
byte bridge[NF];       /* how many writers are between touching it and having a disk on it */
bit held[NF * G];      /* the lock on an inode that the lock file's path leads to, or has led to */
byte gen[NF];          /* which inode it leads to now */
byte slot[NS];         /* the disk of an instance directory: 0 none, f + 1 an overlay on file f */
bit changed[NA];       /* a directory changed since the agent's reading began */
bit stopped;           /* the mode is less than enforce */
#ifdef TRASH
byte trash[NF];        /* how many removed files of this name lie in the trash */
#endif

/* Traces for the replay: nothing at all, and no step, while the model is checked. */
#ifdef TRACE
#define SAY(what) printf what;
/* By chance, everybody is as fast as the agent; some are not. */
#ifndef RESTS
#define RESTS 25
#endif
#define REST rest = 0; do :: rest < RESTS -> rest++ :: else -> break od
#define PAUSE REST;
#else
#define SAY(what)
#define PAUSE
#endif

#define LOCKED(f, g) held[(f) * G + (g)]
#define EVERY_CHANGE(v) changed[0] = v; changed[NA - 1] = v

inline aDiskIsMade(s, f) { slot[s] = f + 1; EVERY_CHANGE(1); SAY(("S slot %d %d\n", s, f + 1)) }
inline aDiskIsGone(s) { slot[s] = 0; EVERY_CHANGE(1); SAY(("S slot %d 0\n", s)) }
inline freeSlot(s) { s = 0; do :: s < NS && slot[s] != 0 -> s++ :: else -> break od }
inline anyFile(f) { f = 0; do :: f < NF - 1 -> f++ :: break od }

/* Time: a file is old again only when no writer is on its way to it. That is what minimumAgeFloorSeconds assumes. */
#ifdef M_NO_FLOOR
#define MAY_AGE(f) (exists[f] && !old[f])
#else
#define MAY_AGE(f) (exists[f] && !old[f] && bridge[f] == 0)
#endif
#define AGES(f) atomic { MAY_AGE(f) -> old[f] = 1; SAY(("S old %d 1\n", f)) }
active proctype Time() {
end: do :: AGES(0)
#if NF > 1
     :: AGES(1)
#endif
#if NF > 2
     :: AGES(2)
#endif
     od
}

/* Nova's lock: the path is opened, then the inode is locked. fasteners does not look where the path leads afterwards. */
inline takeLikeNova(f, g) {
#ifdef LOCK_FILES_REMOVED
  g = gen[f];
#endif
  atomic { !LOCKED(f, g) -> LOCKED(f, g) = 1; SAY(("S lock %d 1\n", f)) }
}
inline releaseLikeNova(f, g) { LOCKED(f, g) = 0; SAY(("S lock %d 0\n", f)) }

/* nova/virt/libvirt/imagebackend.py: lock, fetch, release; touch without the lock; lock, overlay, release; rename, resize; destroy. */
proctype Writer() { byte f, s, t, lives, g; bit ok;
  do
  :: lives < LIVES -> lives++;
     atomic { anyFile(f) };
again:
     if :: !exists[f] ->
          takeLikeNova(f, g);
          if :: atomic { !exists[f] -> exists[f] = 1; old[f] = 0; SAY(("S exists %d 1\n", f)) } :: atomic { exists[f] -> skip } fi;
          atomic { releaseLikeNova(f, g) }
        :: exists[f] -> skip fi;
     atomic { if :: exists[f] -> old[f] = 0; bridge[f]++; ok = 1; SAY(("S old %d 0\n", f)) :: else -> ok = 0 fi };
     if :: !ok -> goto again :: else fi;
     takeLikeNova(f, g);
#ifdef SPAWNS_SUCCEED
     assert(exists[f]);                       /* a file that was touched is still there a moment later */
#endif
     if :: exists[f] ->                       /* looked at under the lock, a step before the disk is made */
          atomic {
            assert(exists[f]);                /* nobody removes it under the writer's lock */
            freeSlot(s);
            if :: s < NS -> aDiskIsMade(s, f) :: else -> ok = 0 fi
          }
        :: !exists[f] -> ok = 0 fi;
     atomic { releaseLikeNova(f, g); bridge[f]-- };
     if :: ok ->
          if :: atomic {                      /* a resize renames the directory ... */
                  freeSlot(t);
                  if :: t < NS -> slot[t] = slot[s]; SAY(("S slot %d %d\n", t, slot[s])) aDiskIsGone(s) :: else -> t = s fi };
                if :: t != s ->
                     atomic {                 /* ... copies the disk back, without a lock ... */
                       if :: slot[s] == 0 -> aDiskIsMade(s, f) :: else -> s = t fi };
                     if :: t != s -> atomic { aDiskIsGone(t) } :: else fi     /* ... and the old one goes at last */
                   :: else fi
             :: skip fi;
          atomic { aDiskIsGone(s) }
        :: else fi
  :: else -> break
  od }

#ifdef ARRIVAL
/* A disk that is copied in from another host: no lock, no touch. What it stands on is there when it comes. */
proctype Arrival() { byte s, f;
#if ARRIVAL > 1
  byte n, rest;
  do :: n < ARRIVAL -> n++; REST;
#endif
  atomic { anyFile(f); s = NS; if :: exists[f] -> freeSlot(s); if :: s < NS -> aDiskIsMade(s, f) :: else fi :: else fi }
#if ARRIVAL > 1
     REST; REST; REST; REST; if :: s < NS -> atomic { aDiskIsGone(s) } :: else fi
     :: else -> break
  od
#endif
}
#endif

#ifdef TOUCHES
/* Whoever touches what they use and takes no lock for it: another host's pass. */
active proctype Toucher() { byte n, f, rest;
  do
  :: n < TOUCHES -> n++; REST; atomic { anyFile(f); if :: exists[f] -> old[f] = 0; SAY(("S old %d 0\n", f)) :: else fi }
  :: else -> break
  od
}
#endif

#ifdef STOP
/* An operator who takes the mode back, at any moment. */
active proctype Operator() { if :: atomic { stopped = 1; SAY(("S stop 1\n")) } :: skip fi }
#endif

/* --- the agent ------------------------------------------------------------------------------------------------------------------ */

/* A kill: the kernel gives the locks back, and a new process begins with the next pass. */
#ifdef KILLS
#define MAY_DIE if :: kills < KILLS -> kills++; goto killed :: skip fi;
byte kills;
#else
#define MAY_DIE
#endif

/* Two agents go through the files in opposite orders: under pressure, order differs. */
#define FILE(me, i) (me == 0 -> (i) : NF - 1 - (i))

/* `tryAcquire` of src/disk/locks/nova-lock.ts: open, lock, and see that the path still leads to what was locked. */
inline tryLock(f) {
#ifdef LOCK_FILES_REMOVED
  g = gen[f];
  atomic { if :: !LOCKED(f, g) -> LOCKED(f, g) = 1; mine[f] = 1 + g :: else -> mine[f] = 0 fi };
#ifndef M_LOCK_UNCHECKED
  atomic { if :: mine[f] != 0 && gen[f] != g -> LOCKED(f, g) = 0; mine[f] = 0 :: else fi;
           SAY(("A %d try %d %d\n", me, f, mine[f] != 0)) };
#endif
#else
#ifdef M_NO_LOCK
  mine[f] = 1;
#else
#ifdef M_BUSY_IS_HAD
  atomic { LOCKED(f, 0) = 1; mine[f] = 1 };
#else
#ifdef M_WAITS_WHILE_HOLDING
  atomic { !LOCKED(f, 0) -> LOCKED(f, 0) = 1; mine[f] = 1 };
#else
  atomic { if :: !LOCKED(f, 0) -> LOCKED(f, 0) = 1; mine[f] = 1; SAY(("A %d try %d 1\n", me, f))
           :: else -> mine[f] = 0; SAY(("A %d try %d 0\n", me, f)) fi };
#endif
#endif
#endif
#endif
}

/* The bounded wait, for a lock that was busy: alone, and it may be in vain. */
inline waitForLock(f) {
  assert(mine[0] == 0 && mine[NF - 1] == 0);
  if
  :: atomic { gen[f] >= 0 && !LOCKED(f, gen[f]) -> LOCKED(f, gen[f]) = 1; mine[f] = 1 + gen[f]; SAY(("A %d wait %d 1\n", me, f)) }
  :: atomic { mine[f] = 0; SAY(("A %d wait %d 0\n", me, f)) }
  fi
}

/* `release` of a held lock; with `remove`, the lock file goes first (Nova's removeLockFiles). */
inline releaseLock(f) {
#ifdef LOCK_FILES_REMOVED
#ifdef M_LOCK_FILE_AFTER_RELEASE
  LOCKED(f, mine[f] - 1) = 0;
  atomic { gen[f] = (gen[f] + 1) % G; mine[f] = 0 };
#else
  atomic { if :: gen[f] == mine[f] - 1 -> gen[f] = (gen[f] + 1) % G :: else fi; SAY(("A %d lockfile %d\n", me, f)) };
  atomic { LOCKED(f, mine[f] - 1) = 0; mine[f] = 0; SAY(("A %d free %d\n", me, f)) };
#endif
#else
#ifdef M_NO_LOCK
  mine[f] = 0;
#else
  atomic { LOCKED(f, 0) = 0; mine[f] = 0; SAY(("A %d free %d\n", me, f)) };
#endif
#endif
}

/* The first look under the lock: what has changed since the plan is not worth a reading. `wanted`: what to look at. */
inline firstLook(f, wanted) {
  if :: mine[f] != 0 ->
       if :: atomic { wanted -> SAY(("A %d first %d 1\n", me, f)) }
          :: atomic { !(wanted) -> SAY(("A %d first %d 0\n", me, f)) }; releaseLock(f) fi
     :: else fi
}

/* One reading of the evidence: one directory a step; restless where any of them changed meanwhile. */
#ifdef M_ONE_DIRECTORY_UNSEEN
#define SEEN (NS - 1)
#else
#define SEEN NS
#endif
inline read() {
  atomic { changed[me] = 0; unsure = 0; s = 0; used[0] = 0; used[NF - 1] = 0; used[NF / 2] = 0; SAY(("A %d ask\n", me)) };
  do
  :: atomic { s < SEEN -> if :: slot[s] != 0 -> used[slot[s] - 1] = 1 :: else fi; SAY(("A %d see %d %d\n", me, s, slot[s])) s++ }
  :: atomic { s >= SEEN -> s = 0; unsure = changed[me]; halted = stopped; SAY(("A %d answer %d %d\n", me, unsure, halted)) break }
  od;
  PAUSE
#ifdef M_RESTLESS_IGNORED
  unsure = 0;
#endif
#ifdef M_STOP_IGNORED
  halted = 0;
#endif
}

inline standsOnNothing(f) { assert(slot[0] != f + 1); assert(slot[NS - 1] != f + 1); assert(slot[NS / 2] != f + 1) }

/* Unlink, or move to the trash: one system call. A batch that began after the stop does neither. */
inline discard(f) {
#ifdef TRASH
  wasOld = old[f];
  exists[f] = 0; old[f] = 0; trash[f]++;
#else
  standsOnNothing(f);
  exists[f] = 0; old[f] = 0;
#endif
  assert(!late);
  done++;
  SAY(("A %d gone %d\n", me, f))
#ifdef W_REMOVED
  assert(false);
#endif
#ifdef W_BATCH_OF_TWO
  assert(done < 2);
#endif
#ifdef W_BUSY_LATER
  assert(next <= NF);
#endif
}

#ifdef TRASH
/* `giveBack`, and the `unlink` of its name in the trash: never over another file. A kill between the two steps leaves two names of one file. */
inline giveBack(f) {
  if :: atomic { !exists[f] -> exists[f] = 1; old[f] = 0; SAY(("A %d back %d 1\n", me, f)) };
        MAY_DIE
        atomic { trash[f]--; SAY(("A %d left %d\n", me, f))
#ifdef W_PUT_BACK
          assert(!emptying)
#endif
#ifdef W_GIVEN_BACK
          assert(emptying)
#endif
        }
     :: atomic { exists[f] -> SAY(("A %d back %d 0\n", me, f)) }
  fi
}
#endif

/* What was touched between the last look and the move to the trash comes back before its lock is released. */
inline discarded(f) {
#ifdef TRASH
#ifndef M_TOUCHED_STAYS_IN_TRASH
  if :: !wasOld -> giveBack(f) :: else fi
#else
  skip
#endif
#else
  skip
#endif
}

/* `settle` of one file of the batch: the answer, the last look, and a step later the removal. */
inline settleRemoval(f) {
#ifdef W_RESTLESS
  assert(!unsure);
#endif
#ifdef W_HALTED
  assert(!halted);
#endif
  if
  :: !used[f] && !unsure && !halted ->
#ifdef M_LAST_LOOK_MISSING
     if :: atomic { exists[f] -> discard(f) } :: !exists[f] -> skip fi
#else
#if defined(SPAWNS_SUCCEED) && !defined(TRASH)
     /* As if no time passed between the last look and the removal: that window is a few microseconds, and cannot be closed. */
     atomic { if :: exists[f] && old[f] -> discard(f) :: else fi }
#else
     if :: atomic { exists[f] && old[f] -> SAY(("A %d last %d 1\n", me, f)) };
           PAUSE
           if :: atomic { exists[f] -> discard(f) }; discarded(f) :: atomic { !exists[f] -> skip } fi
        :: atomic { !(exists[f] && old[f]) -> SAY(("A %d last %d 0\n", me, f)) } fi
#endif
#endif
  :: else
  fi
}

#ifdef TRASH
inline emptyFile(f) {
  atomic { standsOnNothing(f); assert(!late); trash[f]--; SAY(("A %d emptied %d\n", me, f))
#ifdef W_EMPTIED
    ; assert(false)
#endif
  }
}

/* `emptyUnused`: who names a file that was fetched again means that one. */
inline settleTrashed(f) {
  if
  :: unsure || halted -> skip
  :: atomic { !unsure && !halted && exists[f] -> SAY(("A %d there %d 1\n", me, f)) };
     atomic { trash[f]--; SAY(("A %d emptied %d\n", me, f)) }
  :: atomic { !unsure && !halted && !exists[f] -> SAY(("A %d there %d 0\n", me, f)) };
#ifndef M_TRASH_EMPTIED_UNASKED
     if :: used[f] -> giveBack(f)
        :: else -> emptyFile(f)
     fi
#else
     emptyFile(f)
#endif
  fi
}
#endif

proctype Agent(byte me) {
  byte passes, f, s, next, taken, done, g; byte mine[NF]; bit used[NF], busy[NF], unsure, halted, late, emptying, wasOld;
#ifdef TRACE
  byte rest;
#endif
pass:
  do
  :: passes < PASSES ->
     passes++; next = 0; halted = 0;
     SAY(("A %d pass\n", me))
#ifdef TRASH
     emptying = 1;
#endif
#ifdef M_ONE_READING_A_PASS
     read();
#endif
     do
     :: next < 2 * NF ->
        atomic { late = stopped; taken = 0; done = 0; SAY(("A %d batch %d\n", me, late)) };
#ifndef M_STOP_IGNORED
        if :: late -> break :: else fi;
#endif
#ifdef M_EVIDENCE_FIRST
        read();
#endif
        if
        :: next < NF ->                       /* a batch: try, and never wait while a lock is held */
           do
           :: taken < BATCH && next < NF ->
              f = FILE(me, next); next++; taken++;
              tryLock(f);
              busy[f] = (mine[f] == 0);
#ifdef TRASH
              if :: emptying -> firstLook(f, (trash[f] > 0)) :: else -> firstLook(f, (exists[f] && old[f])) fi
#else
              firstLook(f, (exists[f] && old[f]))
#endif
           :: taken > 0 -> break              /* full, the last file, or its time is up */
           od
        :: else ->                            /* afterwards: the busy ones, one by one */
           f = FILE(me, next - NF); next++;
           if :: busy[f] -> busy[f] = 0; waitForLock(f);
#ifdef TRASH
                if :: emptying -> firstLook(f, (trash[f] > 0)) :: else -> firstLook(f, (exists[f] && old[f])) fi
#else
                firstLook(f, (exists[f] && old[f]))
#endif
              :: else fi
        fi;
        MAY_DIE
        if
        :: mine[0] != 0 || mine[NF - 1] != 0 || mine[NF / 2] != 0 ->
#ifndef M_EVIDENCE_FIRST
#ifndef M_ONE_READING_A_PASS
           read();
#endif
#endif
#ifdef M_RELEASED_BEFORE
           for (g : 0 .. NF - 1) { atomic { if :: mine[g] != 0 -> LOCKED(g, 0) = 0 :: else fi } };
#endif
           MAY_DIE
           taken = 0;
           do
           :: taken < NF ->
              f = FILE(me, taken); taken++;
              if :: mine[f] != 0 ->
#ifdef TRASH
                   if :: emptying -> settleTrashed(f) :: else -> settleRemoval(f) fi;
#else
                   settleRemoval(f);
#endif
#ifdef M_RELEASED_BEFORE
                   mine[f] = 0
#else
                   MAY_DIE
                   releaseLock(f)
#endif
                 :: else fi
           :: else -> break
           od
        :: else fi
#ifdef TRASH
     :: next >= 2 * NF && emptying -> emptying = 0; next = 0
#endif
     :: else -> break
     od
  :: else -> break
  od;
  goto over;
#ifdef KILLS
killed:
  g = 0;                                     /* a label binds to one statement, and `for` is several */
  for (g : 0 .. NF - 1) { atomic { if :: mine[g] != 0 -> LOCKED(g, mine[g] - 1) = 0; mine[g] = 0 :: else fi; busy[g] = 0 } };
  goto pass;
#endif
over: skip
}

init { atomic { byte i;
  for (i : 0 .. NF - 1) { exists[i] = 1; old[i] = 1 };
  for (i : 1 .. NW) { run Writer() };
  for (i : 0 .. NA - 1) { run Agent(i) };
#ifdef ARRIVAL
  run Arrival()
#endif
} }
