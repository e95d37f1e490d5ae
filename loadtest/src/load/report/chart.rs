//! Line charts as SVG: axes with round ticks, a line a series, its name in a legend. Colours come from the page's CSS.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
/// Left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 24.0, 12.0, 30.0);
/// Ticks on an axis, about.
const TICKS: f64 = 5.0;
/// Points of a line; more than pixels are no use.
const POINTS: usize = 600;

/// One series.
pub struct Line<'a> {
    /// In the legend.
    pub name: &'a str,
    /// Its colour: `c1` to `c4`.
    pub class: &'a str,
    /// In order of x.
    pub points: Vec<(f64, f64)>,
}

/// What stands below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Across {
    /// Seconds, or minutes and hours when there are many.
    Time,
    /// Percentiles: each nine as wide as the one before.
    Percentile,
}

/// A chart.
pub struct Chart<'a> {
    /// Above it.
    pub title: &'a str,
    /// Of the values.
    pub unit: &'a str,
    /// What stands below.
    pub across: Across,
    /// Moments that explain a bend: when, and what.
    pub marks: &'a [(f64, String)],
    /// The series.
    pub lines: Vec<Line<'a>>,
}

/// A linear scale from values to pixels.
struct Scale {
    most: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.most)
    }
}

/// The distance between ticks: 1, 2 or 5 and zeros.
fn step(most: f64) -> f64 {
    let rough = (most / TICKS).max(1e-12);
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|part| part * power).find(|step| *step >= rough).unwrap_or(rough)
}

fn ticks(most: f64) -> Vec<f64> {
    let step = step(most);
    (0..20_u32).map(|tick| f64::from(tick) * step).take_while(|value| *value <= most * 1.0001).collect()
}

/// A number without zeros that say nothing.
fn short(value: f64) -> String {
    match value {
        value if value >= 1_000_000.0 => format!("{}M", trimmed(value / 1e6)),
        value if value >= 10_000.0 => format!("{}k", trimmed(value / 1e3)),
        value => trimmed(value),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn clock(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 7_200.0 => format!("{} h", trimmed(seconds / 3_600.0)),
        seconds if seconds >= 300.0 => format!("{} min", trimmed(seconds / 60.0)),
        seconds => format!("{} s", trimmed(seconds)),
    }
}

/// How far right a percentile stands: 90 at one, 99 at two, 99.9 at three.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).max(1e-9).log10()
}

impl Chart<'_> {
    fn across(&self, x: f64) -> f64 {
        if self.across == Across::Percentile { nines(x) } else { x }
    }

    fn most(&self, of: impl Fn(&(f64, f64)) -> f64) -> f64 {
        self.lines.iter().flat_map(|line| &line.points).map(of).fold(0.0, f64::max).max(1e-9)
    }

    /// The whole figure; nothing if there is nothing to see.
    pub fn svg(&self) -> String {
        if self.lines.iter().all(|line| line.points.len() < 2) {
            return String::new();
        }
        let (left, top, right, bottom) = MARGIN;
        let high = self.most(|point| point.1);
        let x = Scale { most: self.most(|point| self.across(point.0)), from: left, to: WIDTH - right };
        let y = Scale { most: (high / step(high)).ceil() * step(high), from: HEIGHT - bottom, to: top };
        let mut svg = format!(
            "<figure><figcaption>{}<span class=\"unit\">{}</span></figcaption>\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title, self.unit, self.title
        );
        self.grid(&mut svg, &x, &y);
        for line in &self.lines {
            svg.push_str(&self.path(line, &x, &y));
        }
        svg.push_str("</svg><p class=\"legend\">");
        for line in &self.lines {
            // Writing to a string cannot fail.
            let _ = write!(svg, "<span><i class=\"{}\"></i>{}</span>", line.class, line.name);
        }
        svg.push_str("</p></figure>");
        svg
    }

    fn grid(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let (left, top, right, bottom) = MARGIN;
        for value in ticks(y.most) {
            let (at, label) = (y.at(value), short(value));
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                WIDTH - right,
                left - 8.0,
                at + 4.0
            );
        }
        let below: Vec<(f64, String)> = match self.across {
            Across::Time => ticks(x.most).into_iter().map(|value| (value, clock(value))).collect(),
            Across::Percentile => [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999]
                .into_iter()
                .map(|percentile| (nines(percentile), format!("{percentile}")))
                .filter(|(at, _)| *at <= x.most)
                .collect(),
        };
        for (value, label) in below {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                x.at(value),
                HEIGHT - bottom + 18.0
            );
        }
        for (at, what) in self.marks.iter().filter(|(at, _)| *at <= x.most) {
            let at = x.at(*at);
            // What stands far right is written to the left.
            let (anchor, beside) = if at > WIDTH * 0.85 { ("end", at - 4.0) } else { ("start", at + 4.0) };
            let _ = write!(
                svg,
                "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{:.1}\"/>\
                 <text class=\"mark\" x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{what}</text>",
                HEIGHT - bottom,
                top - 6.0
            );
        }
    }

    fn path(&self, line: &Line<'_>, x: &Scale, y: &Scale) -> String {
        let every = line.points.len().div_ceil(POINTS).max(1);
        let points = line.points.chunks(every).map(|points| {
            // What stands out must not be thinned away.
            let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
            format!("{:.1},{:.1}", x.at(self.across(points[0].0)), y.at(most))
        });
        format!("<polyline class=\"{}\" points=\"{}\"/>", line.class, points.collect::<Vec<_>>().join(" "))
    }
}
