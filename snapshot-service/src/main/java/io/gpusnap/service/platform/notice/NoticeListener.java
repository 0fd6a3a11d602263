package io.gpusnap.service.platform.notice;

/**
 * Hears what any instance on this database, this one included, has sent through one channel. A notice only saves time: while
 * the listening connection is lost none comes, and whoever hears has a look of its own for that
 * ({@code docs/decisions/0103-claims-hear-of-work.md}). Both methods run on the one listening thread and must not wait.
 */
public interface NoticeListener {

    /** A name of lower-case letters and underscores. */
    String channel();

    /** One notice. */
    void heard(String payload);

    /** Notices come from now on; of what was sent before, nobody here was told. */
    void listening();
}
