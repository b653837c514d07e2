"""Holds locks the way other programs do, told what to do line by line.

lockf PATH     as fasteners: fcntl.lockf, waits           -> held
try PATH       the same without waiting                   -> held | busy
flock PATH     flock(2), without waiting                  -> held | busy
unlock PATH    closes the file                            -> released
touch PATH     sets the mtime to now                      -> touched
nova DIR NAME  nova.utils.synchronized(NAME, external=True, lock_path=DIR) around waiting for the next line -> held, released
nova-try DIR NAME  the same lock, without waiting         -> held | busy
"""
import fcntl
import os
import sys

held = {}


def say(word):
    print(word, flush=True)


def take(lock, path, flags):
    file = open(path, 'a')
    try:
        lock(file, flags)
    except OSError:
        file.close()
        return 'busy'
    held[path] = file
    return 'held'


def nova(directory, name):
    from nova import utils

    @utils.synchronized(name, external=True, lock_path=directory)
    def hold():
        say('held')
        sys.stdin.readline()

    hold()
    return 'released'


def nova_try(directory, name):
    from oslo_concurrency import lockutils
    try:
        with lockutils.lock(name, lock_file_prefix='nova-', external=True, lock_path=directory, blocking=False):
            return 'held'
    except lockutils.AcquireLockFailedException:
        return 'busy'


for line in iter(sys.stdin.readline, ''):
    command, *arguments = line.split()
    if command == 'lockf':
        say(take(fcntl.lockf, arguments[0], fcntl.LOCK_EX))
    elif command == 'try':
        say(take(fcntl.lockf, arguments[0], fcntl.LOCK_EX | fcntl.LOCK_NB))
    elif command == 'flock':
        say(take(fcntl.flock, arguments[0], fcntl.LOCK_EX | fcntl.LOCK_NB))
    elif command == 'unlock':
        held.pop(arguments[0]).close()
        say('released')
    elif command == 'touch':
        os.utime(arguments[0], None)
        say('touched')
    elif command == 'nova':
        say(nova(*arguments))
    elif command == 'nova-try':
        say(nova_try(*arguments))
