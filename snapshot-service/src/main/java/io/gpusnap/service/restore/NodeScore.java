package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/**
 * How good a node is for a snapshot; every part is from 0 to 1, more is better.
 *
 * @param total the weighted sum of the parts
 * @param chunks how fast a tier the chunks are in there, by the share of them
 * @param freeVram whether there is room now, and how much is left
 * @param queue how little waits there
 * @param bandwidth the rate at which it filled devices before, against the best of the candidates
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record NodeScore(double total, double chunks, double freeVram, double queue, double bandwidth) {}
