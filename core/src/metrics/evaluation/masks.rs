//! Masks of classes, picture by picture: pixels of a class have one value, a grey level or a colour, in truth and
//! prediction alike.

use std::collections::HashMap;

use crate::metrics::masks::{MaskCounts, Overlap};
use crate::metrics::report::{Better, Figure, Group, Report, Source};
use crate::metrics::slices::{Measure, SliceSpec, Slicer};
use crate::metrics::{Evaluator, MetricError};

use super::Tags;

/// Different values that are told apart.
const MAX_CLASSES: usize = 256;

/// A mask as it was decoded.
#[derive(Clone, Debug)]
pub struct MaskPicture {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// A value for each pixel: grey levels, or colours as [`Self::colour`] makes them.
    pub values: Vec<u32>,
}

impl MaskPicture {
    /// The value of a colour, which no grey level is.
    pub fn colour([red, green, blue]: [u8; 3]) -> u32 {
        u32::from_be_bytes([1, red, green, blue])
    }
}

/// Compares masks of pictures.
pub struct MaskEvaluation {
    counts: MaskCounts,
    /// Values by class.
    values: Vec<u32>,
    classes: HashMap<u32, u8>,
    slicer: Slicer,
    tags: Tags,
    n_pictures: u64,
    dice: crate::statistics::sums::Sum,
    n_empty: u64,
    ignored: Option<u8>,
}

impl MaskEvaluation {
    /// No pictures. Pixels whose truth is the grey level `ignored` do not count.
    ///
    /// # Errors
    /// None today; settings of later kinds may be refused.
    pub fn new(ignored: Option<u8>, slices: &[SliceSpec], tags: Tags) -> Result<Self, MetricError> {
        let measure = Measure {
            id: "accuracy".to_owned(),
            name: "Pixels with the right class".to_owned(),
            better: Better::Higher,
            is_share: true,
            scale: 1.0,
        };
        let mut evaluation = Self {
            counts: MaskCounts::new(MAX_CLASSES, ignored.map(|_| u8::MAX))?,
            values: Vec::new(),
            classes: HashMap::new(),
            slicer: Slicer::new(measure, slices),
            tags,
            n_pictures: 0,
            dice: crate::statistics::sums::Sum::default(),
            n_empty: 0,
            ignored,
        };
        if let Some(ignored) = ignored {
            evaluation.classes.insert(u32::from(ignored), u8::MAX);
        }
        Ok(evaluation)
    }

    /// Takes the masks of a picture called `name`.
    ///
    /// # Errors
    /// Masks of other sizes, more values than there can be classes.
    pub fn add(
        &mut self,
        name: &str,
        truth: &MaskPicture,
        predicted: &MaskPicture,
    ) -> Result<(), MetricError> {
        for (what, expected, found) in [
            ("width of the predicted mask", truth.width_px, predicted.width_px),
            (
                "height of the predicted mask",
                truth.height_px,
                predicted.height_px,
            ),
        ] {
            if expected != found {
                return Err(MetricError::Mismatch {
                    what: what.to_owned(),
                    expected: expected as u64,
                    found: found as u64,
                }
                .in_source(name));
            }
        }
        let truth = self
            .classes_of(&truth.values)
            .map_err(|error| error.in_source(name))?;
        let predicted = self
            .classes_of(&predicted.values)
            .map_err(|error| error.in_source(name))?;
        let mut own = MaskCounts::new(MAX_CLASSES, self.ignored.map(|_| u8::MAX))?;
        own.observe(&truth, &predicted)
            .map_err(|error| error.in_source(name))?;
        self.counts.merge(&own)?;
        if let Ok(found) = own.finish() {
            self.dice.add(foreground_dice(&found.classes, self.background()));
            let is_empty = |class: &Overlap| !class.is_present();
            let background = self.background();
            let all_empty = found
                .classes
                .iter()
                .enumerate()
                .all(|(class, overlap)| class == background || is_empty(overlap));
            self.n_empty += u64::from(all_empty);
            let right = (found.accuracy * found.pixels as f64).round();
            self.slicer
                .observe(Some(name), right, found.pixels as f64, |tag| {
                    self.tags.get(name, tag)
                });
        }
        self.n_pictures += 1;
        Ok(())
    }

    /// The class of the value 0, black or the grey level, or a class that there is not.
    fn background(&self) -> usize {
        let black = [0, MaskPicture::colour([0; 3])];
        self.values
            .iter()
            .position(|value| black.contains(value))
            .unwrap_or(usize::MAX)
    }

    fn classes_of(&mut self, values: &[u32]) -> Result<Vec<u8>, MetricError> {
        let mut classes = Vec::with_capacity(values.len());
        let mut last: Option<(u32, u8)> = None;
        for &value in values {
            let class = match last {
                Some((before, class)) if before == value => class,
                _ => match self.classes.get(&value) {
                    Some(class) => *class,
                    // The last is kept for what is ignored.
                    None if self.values.len() == MAX_CLASSES - 1 => {
                        return Err(MetricError::TooMany {
                            what: "different values in masks (a mask has one value a class, and no soft edges)",
                            limit: MAX_CLASSES as u64 - 1,
                        });
                    }
                    None => {
                        let class = self.values.len() as u8;
                        self.values.push(value);
                        self.classes.insert(value, class);
                        class
                    }
                },
            };
            last = Some((value, class));
            classes.push(class);
        }
        Ok(classes)
    }

    /// What all pictures say together.
    ///
    /// # Errors
    /// No pictures, or none with a pixel that counts.
    pub fn report(&self) -> Result<Report, MetricError> {
        if self.n_pictures == 0 {
            return Err(MetricError::Empty {
                what: "pairs of masks",
            });
        }
        let found = self.counts.finish()?;
        let mut report = Report::new("masks");
        for role in ["truth", "predictions"] {
            report.sources.push(Source {
                role: role.to_owned(),
                name: format!("{} masks", self.n_pictures),
                sha256: None,
                entries: self.n_pictures,
            });
        }
        if let Some(ignored) = self.ignored {
            report
                .settings
                .push(("ignored value".to_owned(), ignored.to_string()));
        }
        let higher =
            |id: &str, name: &str, value: f64, n: u64| Figure::new(id, name, value, n).better(Better::Higher);
        report.groups.push(Group {
            name: "All classes".to_owned(),
            counted: "pixels".to_owned(),
            figures: vec![
                higher("mean_iou", "IoU, mean over classes", found.mean_iou, found.pixels),
                higher(
                    "mean_dice",
                    "Dice, mean over classes",
                    found.mean_dice,
                    found.pixels,
                ),
                higher(
                    "accuracy",
                    "Pixels with the right class",
                    found.accuracy,
                    found.pixels,
                ),
            ],
        });
        let mut figures = Vec::new();
        let mut by_value: Vec<usize> = (0..self.values.len()).collect();
        by_value.sort_by_key(|&class| self.values[class]);
        for class in by_value {
            let overlap = found.classes[class];
            if !overlap.is_present() {
                continue;
            }
            let (name, n) = (name_of(self.values[class]), overlap.both + overlap.truth_only);
            figures.push(higher(
                &format!("iou[{name}]"),
                &format!("IoU, {name}"),
                overlap.iou(),
                n,
            ));
            figures.push(higher(
                &format!("dice[{name}]"),
                &format!("Dice, {name}"),
                overlap.dice(),
                n,
            ));
        }
        report.groups.push(Group {
            name: "By class".to_owned(),
            counted: "true pixels of the class".to_owned(),
            figures,
        });
        let mean = self.dice.value() / self.n_pictures as f64;
        report.groups.push(Group {
            name: "By picture".to_owned(),
            counted: "pictures".to_owned(),
            figures: vec![higher(
                "picture_dice",
                "Dice of all that is not background (0), mean over pictures",
                mean,
                self.n_pictures,
            )],
        });
        if self.n_empty > 0 {
            report.note(format!(
                "{} pictures are background only, in truth and prediction: their Dice is 1 by convention.",
                self.n_empty
            ));
        }
        report.slices = self.slicer.finish()?;
        Ok(report)
    }
}

/// Dice of everything but the background, over all classes as one sum; 1 where there is nothing else.
fn foreground_dice(classes: &[Overlap], background: usize) -> f64 {
    let mut sum = Overlap::default();
    let foreground = classes
        .iter()
        .enumerate()
        .filter(|(class, _)| *class != background);
    for (_, overlap) in foreground {
        sum.both += overlap.both;
        sum.predicted_only += overlap.predicted_only;
        sum.truth_only += overlap.truth_only;
    }
    sum.dice()
}

fn name_of(value: u32) -> String {
    if value < 256 {
        value.to_string()
    } else {
        format!("#{:06x}", value & 0xff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[u32]) -> MaskPicture {
        MaskPicture {
            width_px: values.len(),
            height_px: 1,
            values: values.to_vec(),
        }
    }

    #[test]
    fn values_are_classes() {
        let mut masks = MaskEvaluation::new(Some(99), &[], Tags::default()).unwrap();
        masks
            .add("a", &mask(&[0, 0, 7, 7, 99]), &mask(&[0, 7, 7, 7, 0]))
            .unwrap();
        masks.add("b", &mask(&[0, 0]), &mask(&[0, 0])).unwrap();
        let report = masks.report().unwrap();
        let value = |id: &str| report.figure(id).unwrap().value.unwrap();
        assert_eq!(value("iou[7]"), 2.0 / 3.0);
        assert_eq!(value("iou[0]"), 0.75);
        assert_eq!(value("accuracy"), 5.0 / 6.0);
        assert_eq!(value("picture_dice"), (0.8 + 1.0) / 2.0);
        assert_eq!(report.notes.len(), 1);
    }

    #[test]
    fn bad_masks_are_named() {
        let mut masks = MaskEvaluation::new(None, &[], Tags::default()).unwrap();
        assert!(masks.report().is_err());
        let error = masks
            .add("a.png", &mask(&[0]), &mask(&[0, 0]))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a.png: width of the predicted mask: expected 1, found 2");
        let many: Vec<u32> = (0..300).map(|value| value + 1000).collect();
        assert!(masks.add("a.png", &mask(&many), &mask(&many)).is_err());
    }
}
