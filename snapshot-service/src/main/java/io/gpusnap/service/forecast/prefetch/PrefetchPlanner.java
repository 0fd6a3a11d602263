package io.gpusnap.service.forecast.prefetch;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Decides which snapshot is to be hot where. A pure function: the same input gives the same plan, and it changes nothing.
 *
 * <p>Every further replica that a model may want within the window is a seat with a probability. Seats are given out from the
 * most valuable one down (probability × seconds saved ÷ bytes). First each takes its share of a free GPU on a node where
 * the snapshot is hot already. For those that are left, and probable enough, a copy is moved to the node with the most free
 * GPUs that has, or can make, room. Room is made by giving up copies that are clearly worth less: what is moved back and forth
 * helps nobody.
 */
public final class PrefetchPlanner {
    private final PrefetchRules rules;

    public PrefetchPlanner(PrefetchRules rules) {
        this.rules = rules;
    }

    /**
     * One further replica.
     *
     * @param probability that it is wanted soon: moves are for that
     * @param worth of a copy that it would find: also what is wanted later counts, the less the later
     */
    private record Seat(Need need, double probability, Instant expectedAt, double worth) {
        double value() {
            return worth * need.savedSeconds() / Math.max(1, need.bytes());
        }
    }

    /** Plans for the sites as they are; needs of snapshots that are on no site at all are moved all the same. */
    public Plan plan(List<Need> needs, List<Site> sites) {
        List<Seat> seats = new ArrayList<>();
        needs.forEach(need -> seats.addAll(seats(need)));
        // Names settle ties, so that equal seats are not given out at random.
        seats.sort(Comparator.comparingDouble(Seat::value)
                .reversed()
                .thenComparing(seat -> seat.need().model()));
        Room room = new Room(sites, rules.margin());
        Map<String, Integer> seated = new HashMap<>();
        List<Plan.Move> moves = new ArrayList<>();
        List<Seat> standing = new ArrayList<>();
        for (Seat seat : seats) {
            if (room.sit(seat.need().snapshot(), seat.worth())) {
                seated.merge(seat.need().model(), 1, Integer::sum);
            } else {
                standing.add(seat);
            }
        }
        for (Seat seat : standing) {
            if (seat.probability() >= rules.moveFrom()) {
                room.place(seat.need(), seat.probability())
                        .ifPresent(node -> moves.add(new Plan.Move(
                                seat.need().model(),
                                seat.need().snapshot(),
                                node,
                                seat.need().bytes(),
                                seat.expectedAt(),
                                seat.probability(),
                                reason(seat, seated.merge(seat.need().model(), 1, Integer::sum)))));
            }
        }
        return new Plan(List.copyOf(moves), room.evictions(), room.worth());
    }

    private List<Seat> seats(Need need) {
        List<Seat> seats = new ArrayList<>();
        for (int further = 1; further <= rules.mostReplicas(); further++) {
            Seat seat = seat(need, further);
            if (seat.worth() < rules.keepFrom()) {
                break;
            }
            seats.add(seat);
        }
        return seats;
    }

    private Seat seat(Need need, int further) {
        int steps = Math.min(rules.keepSteps(), need.forecast().length());
        double soon = 0;
        int when = 0;
        double worth = 0;
        double lowest = need.running();
        for (int step = 0; step < steps; step++) {
            if (step < rules.moveSteps()) {
                double probability = need.forecast().probabilityOf(step, need.running() + further - 0.5);
                if (probability > soon) {
                    soon = probability;
                    when = step;
                }
            }
            // What runs now may have ended by then; its next start is a scale-up too.
            lowest = Math.min(lowest, Math.round(need.forecast().quantile(step, 0.5)));
            double later = need.forecast().probabilityOf(step, lowest + further - 0.5);
            worth = Math.max(worth, later * Math.pow(0.5, step / rules.halfLifeSteps()));
        }
        return new Seat(need, soon, need.forecast().at(when), Math.max(soon, worth));
    }

    private static String reason(Seat seat, int further) {
        return String.format(
                Locale.ROOT,
                "%s runs %d replicas and wants %d or more around %s with a probability of %.0f %%; no free GPU has the snapshot hot.",
                seat.need().model(),
                seat.need().running(),
                seat.need().running() + further,
                seat.expectedAt(),
                100 * seat.probability());
    }
}
