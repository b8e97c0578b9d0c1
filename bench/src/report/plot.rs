use std::{error::Error, path::Path};

use clap::ValueEnum;
use plotters::prelude::*;

use crate::{
    Failure,
    run::Row,
    variant::{Backend, Variant},
};

const SIZE: (u32, u32) = (1200, 520);

/// What is drawn: the rows of most connections and small records, in groups of a workload, as a bar for each variant
/// with a line from quartile to quartile.
pub(super) fn shares(path: &Path, rows: &[Row]) -> Result<(), Failure> {
    draw(path, rows).map_err(|error| error.to_string().into())
}

fn draw(path: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let shown = |row: &&Row| row.connections > 1 && row.size < 1000 && row.variant != Variant::None;
    let rows: Vec<&Row> = rows.iter().filter(shown).collect();
    let mut workloads: Vec<_> = rows.iter().map(|row| row.workload).collect();
    workloads.dedup();
    let variants: Vec<_> = Variant::value_variants()
        .iter()
        .filter(|variant| **variant != Variant::None)
        .collect();
    // A bar's width is one, and two between groups.
    let group = variants.len() + 2;

    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(
            "Requests a second, as a share of a route without sessions",
            ("sans-serif", 20),
        )
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(45)
        .build_cartesian_2d(0.0..(workloads.len() * group) as f64, 0.0..1.1)?;
    let name = |x: &f64| {
        let place = *x as usize;
        let workload = workloads.get(place / group).filter(|_| place % group == group / 2);
        workload.map_or_else(String::new, ToString::to_string)
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(workloads.len() * group + 1)
        .x_label_formatter(&name)
        .y_labels(11)
        .draw()?;

    for (place, variant) in variants.into_iter().enumerate() {
        let style = style(*variant);
        let own = rows
            .iter()
            .filter(|row| row.variant == *variant && row.invalid.is_none());
        let bars = own.filter_map(|row| {
            let group_number = workloads.iter().position(|workload| *workload == row.workload)?;
            Some(((group_number * group + place + 1) as f64, row.share))
        });
        let bars: Vec<_> = bars.collect();
        let shapes = bars
            .iter()
            .map(|(x, share)| Rectangle::new([(*x, 0.0), (x + 0.9, share.median)], style));
        chart
            .draw_series(shapes)?
            .label(variant.title())
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], style));
        let spreads = bars
            .iter()
            .map(|(x, share)| PathElement::new([(x + 0.45, share.low), (x + 0.45, share.high)], BLACK));
        chart.draw_series(spreads)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    Ok(())
}

/// A hue for each backend, the darkest for ours.
fn style(variant: Variant) -> ShapeStyle {
    let (red, green, blue) = match variant.backend() {
        Backend::Redis => (200, 40, 40),
        Backend::Postgres => (40, 80, 180),
        Backend::Memory | Backend::Nowhere => (70, 70, 70),
    };
    let strength = match variant {
        Variant::OursRedisNear | Variant::OursPostgresNear => 1.0,
        Variant::OursRedis | Variant::OursPostgres | Variant::OursMemory => 0.8,
        Variant::TowerRedis | Variant::TowerPostgres | Variant::TowerMemory => 0.5,
        _ => 0.25,
    };
    RGBColor(red, green, blue).mix(strength).filled()
}
