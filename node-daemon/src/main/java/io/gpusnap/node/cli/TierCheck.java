package io.gpusnap.node.cli;

import java.util.Map;

/**
 * One thing that was tried out on a tier.
 *
 * @param mend what to do about one that failed; "" for one that passed
 * @param figures what was measured, by name, unit last
 */
record TierCheck(String tier, String name, boolean passed, String detail, String mend, Map<String, Double> figures) {}
