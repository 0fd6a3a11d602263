package io.gpusnap.service.forecast.backtest;

import java.util.List;
import java.util.Locale;

/** Bars as SVG: for each trace and policy the share of scale-ups that were hot, and of bytes that were moved for nothing. */
final class BacktestPlot {
    private static final int BAR = 16;
    private static final int GROUP_GAP = 26;
    private static final int LEFT = 250;
    private static final int WIDTH = 420;

    private BacktestPlot() {}

    static String svg(List<BacktestReport.Run> runs) {
        StringBuilder bars = new StringBuilder();
        int y = 40;
        for (BacktestReport.Run run : runs) {
            bars.append(text(10, y + 12, run.trace() + ", seed " + run.seed(), "bold"));
            for (Score score : run.scores()) {
                bars.append(text(110, y + 12, score.policy(), "normal"));
                bars.append(bar(y, score.hotRatio(), "#2a6f97"));
                bars.append(bar(y + BAR / 2, score.wasteRatio(), "#e07a5f"));
                y += BAR + 6;
            }
            y += GROUP_GAP;
        }
        return String.format(
                Locale.ROOT,
                """
                <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">
                <rect width="100%%" height="100%%" fill="white"/>
                <rect x="%d" y="12" width="10" height="10" fill="#2a6f97"/>%s
                <rect x="%d" y="12" width="10" height="10" fill="#e07a5f"/>%s
                %s</svg>
                """,
                LEFT + WIDTH + 70,
                y,
                LEFT,
                text(LEFT + 14, 21, "scale-ups whose snapshot was hot", "normal"),
                LEFT + 200,
                text(LEFT + 214, 21, "bytes prefetched or kept for nothing", "normal"),
                bars);
    }

    private static String bar(int y, double ratio, String colour) {
        double width = ratio * WIDTH;
        return String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%s%n",
                LEFT,
                y,
                width,
                BAR / 2 - 1,
                colour,
                String.format(
                        Locale.ROOT,
                        "<text x=\"%.1f\" y=\"%d\" font-size=\"8\">%.1f %%</text>",
                        LEFT + width + 3,
                        y + BAR / 2 - 1,
                        100 * ratio));
    }

    private static String text(int x, int y, String text, String weight) {
        return String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" font-weight=\"%s\">%s</text>%n",
                x,
                y,
                weight,
                text.replace("&", "&amp;").replace("<", "&lt;"));
    }
}
