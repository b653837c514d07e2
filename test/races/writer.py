#!/usr/bin/python3
"""A writer that uses the image cache as Nova's `imagebackend.Image.cache` and `Qcow2.create_image` do: the real locks of
oslo.concurrency (`fcntl.lockf` through fasteners), real qcow2 files, fetch under the lock, touch without it, create the
overlay under it again.

Asks on stdout, one JSON line each, and waits for a line on stdin where the driver has to know first:
  {"ask": "start", "instance", "base", "image"}  before anything happens on disk, as the API knows of an instance before nova-compute
                                                 does; "image" is null where only the overlay's header will tell (after an unshelve)
  {"ask": "age", "instance", "base"}             days pass for the base file; the driver sets its mtime, unless somebody is spawning
  {"ask": "stop", "instance"}                    after the instance directory is gone, or before it goes
  {"tell": "running" | "lost" | "retried" | "spawn-failed" | "done", "instance", "base", ...}
Arguments: instances path, name of this writer, seed, rounds.
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

from oslo_concurrency import lockutils

ROOT, NAME, SEED, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
BASE = os.path.join(ROOT, '_base')
LOCKS = os.path.join(ROOT, 'locks')
# Those of all writers, and one that only this one uses.
IMAGES = ['image-%d' % number for number in range(3)] + ['image-of-' + NAME]
RANDOM = random.Random(SEED)
synchronized = lockutils.synchronized_with_prefix('nova-')


def say(**message):
    print(json.dumps(message), flush=True)


def ask(**message):
    say(**message)
    if not sys.stdin.readline():
        sys.exit(0)


def pause():
    if RANDOM.random() < 0.7:
        time.sleep(RANDOM.choice([0, 0, 0.001, 0.003, 0.01]))


def fetch(target):
    """images.fetch_to_raw: a .part file first, then the name that counts."""
    with open(target + '.part', 'wb') as part:
        part.write(os.urandom(512))
        pause()
    os.rename(target + '.part', target)


def cache_base(base):
    @synchronized(os.path.basename(base), external=True, lock_path=LOCKS)
    def fetch_func_sync():
        if not os.path.exists(base):
            fetch(base)
            return True
        return False

    return not os.path.exists(base) and fetch_func_sync()


def create_overlay(base, directory):
    @synchronized(os.path.basename(base), external=True, lock_path=LOCKS)
    def create_qcow2_image():
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', os.path.join(directory, 'disk'), '1M'],
                       check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    create_qcow2_image()


def spawn(instance, base):
    """One attempt, as Qcow2.create_image makes it. False where the base vanished before the touch; Nova's caller retries then."""
    directory = os.path.join(ROOT, instance)
    os.makedirs(directory, exist_ok=True)
    fetched = cache_base(base)
    pause()
    try:
        os.utime(base, None)
    except FileNotFoundError:
        return None
    pause()
    try:
        create_overlay(base, directory)
    except subprocess.CalledProcessError as error:
        if os.path.exists(base):
            raise
        say(tell='spawn-failed', instance=instance, base=os.path.basename(base), message=error.stderr.decode())
        return None
    return 'fetched' if fetched else 'reused'


def check(instance, base, when):
    if not os.path.exists(base):
        say(tell='lost', instance=instance, base=os.path.basename(base), when=when)


def live(instance, base):
    """A while of running, with what an instance's life can do to its directory."""
    check(instance, base, 'just created')
    # Long running: nothing but the overlay and the reference keep the file now.
    ask(ask='age', instance=instance, base=os.path.basename(base))
    directory = os.path.join(ROOT, instance)
    for _ in range(RANDOM.randrange(3)):
        pause()
        check(instance, base, 'running')
        if RANDOM.random() < 0.3:
            os.rename(directory, directory + '_resize')
            pause()
            check(instance, base, 'resizing')
            os.rename(directory + '_resize', directory)
    check(instance, base, 'before the end')


def main():
    for number in range(ROUNDS):
        instance = '%s-%06d' % (NAME, number)
        image = RANDOM.choice(IMAGES)
        base = os.path.join(BASE, hashlib.sha1(image.encode()).hexdigest())
        name = os.path.basename(base)
        ask(ask='start', instance=instance, base=name, image=image if RANDOM.random() < 0.6 else None)
        pause()
        how = None
        while how is None:
            how = spawn(instance, base)
            if how is None:
                say(tell='retried', instance=instance, base=name)
        say(tell='running', instance=instance, base=name, how=how)
        live(instance, base)
        if RANDOM.random() < 0.5:
            ask(ask='stop', instance=instance)
            pause()
            check(instance, base, 'known to nobody')
            shutil.rmtree(os.path.join(ROOT, instance))
        else:
            shutil.rmtree(os.path.join(ROOT, instance))
            pause()
            # As long as the API knows it, its reference alone keeps the file, however old.
            if RANDOM.random() < 0.5:
                ask(ask='age', instance=instance, base=name)
                pause()
                time.sleep(0.5)
            ask(ask='stop', instance=instance)
        if RANDOM.random() < 0.8:
            ask(ask='age', instance=instance, base=name)
        pause()
    say(tell='done')


if __name__ == '__main__':
    main()
