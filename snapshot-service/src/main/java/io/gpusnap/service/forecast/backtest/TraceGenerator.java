package io.gpusnap.service.forecast.backtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Traces with the shapes of published production traces; the same seed gives the same trace. {@code diurnal}: load that
 * rises and falls with the day and rests on weekends, as the conversation services of the Azure LLM inference traces of 2023
 * and 2024 (Splitwise, ISCA 2024; DynamoLLM, HPCA 2025). {@code bursty}: bursts whose distances are gamma distributed with
 * a shape below 1, mostly in working hours, and nothing between them, as BurstGPT (2024) describes API traffic; half of the
 * models have bursts of timers on top, at the same times of every day, as the Azure Functions traces show (Shahrad and
 * others, USENIX ATC 2020). {@code flat}: no season at all. Sizes are those of 16-bit models of 8, 14, 32 and 70 billion
 * parameters; popularity is Zipf's.
 */
public final class TraceGenerator {
    /** Of every generated trace. */
    public static final Duration STEP = Duration.ofMinutes(5);

    private static final int DAY = 288;
    private static final int STABILISATION_STEPS = 3;
    private static final long[] GIGABYTES = {17, 17, 17, 29, 29, 66, 66, 141};

    /** What a trace looks like. */
    public enum Shape {
        DIURNAL,
        BURSTY,
        FLAT
    }

    private TraceGenerator() {}

    /** A trace of so many models and days of 288 steps. */
    public static Trace generate(Shape shape, long seed, int models, int days) {
        Random random = new Random(seed * 31 + shape.ordinal());
        List<Trace.Model> made = new ArrayList<>();
        for (int i = 0; i < models; i++) {
            double[] load = switch (shape) {
                case DIURNAL -> diurnal(random, 10.0 / Math.pow(i + 1, 0.5), days);
                case BURSTY -> bursty(random, days);
                case FLAT -> flat(random, 5.0 / Math.pow(i + 1, 0.5), days);
            };
            made.add(new Trace.Model(
                    String.format("model-%02d", i),
                    GIGABYTES[random.nextInt(GIGABYTES.length)] * 1_000_000_000L,
                    autoscaled(load)));
        }
        return new Trace(shape.name().toLowerCase(java.util.Locale.ROOT), STEP, List.copyOf(made));
    }

    /** Load in replicas' worth. */
    private static double[] diurnal(Random random, double peak, int days) {
        double phase = (random.nextInt(4) == 0 ? 20 : 14) + random.nextGaussian();
        double noise = 0;
        double[] load = new double[days * DAY];
        double ofTheDay = 1;
        for (int i = 0; i < load.length; i++) {
            if (i % DAY == 0) {
                ofTheDay = Math.exp(0.1 * random.nextGaussian()) * (i / DAY % 7 >= 5 ? 0.6 : 1);
            }
            noise = 0.9 * noise + 0.05 * random.nextGaussian();
            double hour = 24.0 * (i % DAY) / DAY;
            double daily = Math.pow(0.5 + 0.5 * Math.cos(2 * Math.PI * (hour - phase) / 24), 2);
            load[i] = peak * ofTheDay * (0.03 + 0.97 * daily) * Math.exp(noise);
        }
        return load;
    }

    private static double[] bursty(Random random, int days) {
        double[] load = new double[days * DAY];
        double burstsADay = 2 + random.nextInt(8);
        double height = 1 + 3 * random.nextDouble();
        if (random.nextBoolean()) {
            timers(random, load, days, height);
        }
        int at = 0;
        while (at < load.length) {
            int length = Math.max(2, (int) Math.round(5 * Math.exp(0.6 * random.nextGaussian())));
            double high = Math.max(0.5, height * Math.exp(0.35 * random.nextGaussian()));
            for (int i = 0; i < length && at + i < load.length; i++) {
                load[at + i] += high * Math.min(1, (i + 1) / 2.0) * (0.9 + 0.2 * random.nextDouble());
            }
            at += length;
            double wait = gamma(random) * DAY / burstsADay;
            while (wait > 0 && at < load.length) {
                double hour = 24.0 * (at % DAY) / DAY;
                wait -= hour >= 8 && hour < 20 ? 1.8 : 0.2;
                at++;
            }
        }
        return load;
    }

    private static void timers(Random random, double[] load, int days, double height) {
        int timers = 1 + random.nextInt(4);
        for (int timer = 0; timer < timers; timer++) {
            int phase = random.nextInt(DAY);
            int length = 3 + random.nextInt(9);
            for (int day = 0; day < days; day++) {
                int begin = day * DAY + phase + random.nextInt(2);
                for (int i = begin; i < Math.min(begin + length, load.length); i++) {
                    load[i] += height * (0.9 + 0.2 * random.nextDouble());
                }
            }
        }
    }

    private static double[] flat(Random random, double mean, int days) {
        double noise = 0;
        double[] load = new double[days * DAY];
        for (int i = 0; i < load.length; i++) {
            noise = 0.95 * noise + 0.06 * random.nextGaussian();
            load[i] = mean * Math.exp(noise);
        }
        return load;
    }

    /** Gamma of shape 1/2 and mean 1: half of a squared normal, twice. */
    private static double gamma(Random random) {
        double normal = random.nextGaussian();
        return normal * normal;
    }

    /** Whole replicas, up at once, down only when none of the last steps needed more. */
    private static int[] autoscaled(double[] load) {
        int[] replicas = new int[load.length];
        for (int i = 0; i < load.length; i++) {
            double most = 0;
            for (int back = 0; back < STABILISATION_STEPS && back <= i; back++) {
                most = Math.max(most, load[i - back]);
            }
            replicas[i] = most < 0.1 ? 0 : (int) Math.ceil(most);
        }
        return replicas;
    }
}
