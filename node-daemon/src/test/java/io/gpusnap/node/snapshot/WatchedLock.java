package io.gpusnap.node.snapshot;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/** A real lock, before the taking of which something happens. */
record WatchedLock(Lock real, Runnable before) implements Lock {

    @Override
    public void lock() {
        before.run();
        real.lock();
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        real.lockInterruptibly();
    }

    @Override
    public boolean tryLock() {
        return real.tryLock();
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        return real.tryLock(time, unit);
    }

    @Override
    public void unlock() {
        real.unlock();
    }

    @Override
    public Condition newCondition() {
        return real.newCondition();
    }
}
