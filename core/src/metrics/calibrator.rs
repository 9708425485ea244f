//! A calibration that was fitted once and can be applied to a model's scores: temperature scaling or isotonic steps, with a
//! JSON form that any serde reader of JSON takes.
//!
//! ```json
//! {"schema": 1, "classes": ["no", "yes"], "rows": 300, "method": {"temperature": 2.4077}}
//! {"schema": 1, "classes": ["no", "yes"], "rows": 300, "method": {"isotonic": [{"scores": [0.1, 0.9], "outcomes": [0.2, 0.8]}]}}
//! ```
//!
//! Isotonic steps of two classes are those of the second; of more, one list a class against all others, after which rows
//! are divided by their sum (Zadrozny and Elkan 2002, as scikit-learn's `CalibratedClassifierCV`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::isotonic::Isotonic;
use super::temperature::Temperature;
use super::{MetricError, agree};

/// Of the JSON form.
const SCHEMA: u32 = 1;

/// How scores are calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One number for all logits.
    Temperature,
    /// Rising steps for each class.
    Isotonic,
}

impl FromStr for Method {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "temperature" => Ok(Self::Temperature),
            "isotonic" => Ok(Self::Isotonic),
            _ => Err("calibrations are temperature and isotonic".to_owned()),
        }
    }
}

/// A calibration of the probabilities of some classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Calibration {
    classes: Vec<String>,
    rows: u64,
    fitted: Fitted,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fitted {
    Temperature(Temperature),
    Isotonic(Vec<Isotonic>),
}

#[derive(Clone, Serialize, Deserialize)]
struct Form {
    schema: u32,
    classes: Vec<String>,
    rows: u64,
    method: Fitted,
}

impl From<Calibration> for Form {
    fn from(calibration: Calibration) -> Self {
        Self {
            schema: SCHEMA,
            classes: calibration.classes,
            rows: calibration.rows,
            method: calibration.fitted,
        }
    }
}

impl TryFrom<Form> for Calibration {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        if form.schema != SCHEMA {
            return Err(format!(
                "the calibration is of schema {}, and {SCHEMA} is read",
                form.schema
            ));
        }
        let n_classes = form.classes.len();
        let n_lists = match &form.method {
            Fitted::Temperature(_) => None,
            Fitted::Isotonic(lists) => Some(lists.len()),
        };
        let expected = if n_classes == 2 { 1 } else { n_classes };
        if n_classes < 2 || n_lists.is_some_and(|n| n != expected) {
            return Err(
                "an isotonic calibration has one list of steps for two classes, else one a class".to_owned(),
            );
        }
        if let Fitted::Isotonic(lists) = &form.method
            && lists
                .iter()
                .any(|list| list.thresholds().1.iter().any(|y| !(0.0..=1.0).contains(y)))
        {
            return Err("outcomes of an isotonic calibration lie in 0 to 1".to_owned());
        }
        Ok(Self {
            classes: form.classes,
            rows: form.rows,
            fitted: form.method,
        })
    }
}

impl Calibration {
    /// Fits a method to rows of probabilities, one after the other, and their true classes. The flag says whether a
    /// temperature ran to a limit of what is tried.
    ///
    /// # Errors
    /// As the methods' own fits: no rows, numbers that are not finite.
    pub fn fit(
        method: Method,
        classes: &[String],
        probabilities: &[f64],
        truth: &[usize],
    ) -> Result<(Self, bool), MetricError> {
        let n_classes = classes.len();
        let (fitted, at_limit) = match method {
            Method::Temperature => {
                let logits: Vec<f64> = probabilities.iter().map(|p| logit(*p)).collect();
                let fit = Temperature::fit(n_classes, &logits, truth)?;
                (Fitted::Temperature(fit.temperature), fit.at_limit)
            }
            Method::Isotonic => {
                let of_class = |class: usize| {
                    let x: Vec<f64> = probabilities
                        .iter()
                        .skip(class)
                        .step_by(n_classes.max(1))
                        .copied()
                        .collect();
                    let y: Vec<f64> = truth
                        .iter()
                        .map(|&own| f64::from(u8::from(own == class)))
                        .collect();
                    Isotonic::fit(&x, &y, None)
                };
                let lists: Result<Vec<Isotonic>, MetricError> = if n_classes == 2 {
                    of_class(1).map(|list| vec![list])
                } else {
                    (0..n_classes).map(of_class).collect()
                };
                (Fitted::Isotonic(lists?), false)
            }
        };
        let calibration = Self {
            classes: classes.to_vec(),
            rows: truth.len() as u64,
            fitted,
        };
        Ok((calibration, at_limit))
    }

    /// Of which classes it is, in their order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What was fitted, in a few words.
    pub fn description(&self) -> String {
        match &self.fitted {
            Fitted::Temperature(temperature) => format!("temperature {:.6}", temperature.value()),
            Fitted::Isotonic(lists) => {
                let n: usize = lists.iter().map(|list| list.thresholds().0.len()).sum();
                format!("isotonic, {n} corners")
            }
        }
    }

    /// Calibrates the probabilities of one row, in place.
    ///
    /// # Errors
    /// Another number of classes than it was fitted to.
    pub fn apply(&self, row: &mut [f64]) -> Result<(), MetricError> {
        agree(
            "number of classes of the calibration",
            self.classes.len(),
            row.len(),
        )?;
        match &self.fitted {
            Fitted::Temperature(temperature) => {
                for p in &mut *row {
                    *p = logit(*p);
                }
                temperature.apply(row);
            }
            Fitted::Isotonic(lists) => {
                if let ([list], [no, yes]) = (&lists[..], &mut *row) {
                    *yes = list.predict(*yes).unwrap_or(*yes);
                    *no = 1.0 - *yes;
                    return Ok(());
                }
                for (list, p) in lists.iter().zip(&mut *row) {
                    *p = list.predict(*p).unwrap_or(*p);
                }
                let sum: f64 = row.iter().sum();
                let n_classes = row.len() as f64;
                for p in row {
                    // Where no class is thought possible, all are equally.
                    *p = if sum > 0.0 { *p / sum } else { 1.0 / n_classes };
                }
            }
        }
        Ok(())
    }
}

/// A logarithm that 0 has too; a softmax of such logits gives the probabilities back.
fn logit(p: f64) -> f64 {
    p.max(f64::EPSILON).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|class| class.to_string()).collect()
    }

    #[test]
    fn both_methods_make_probabilities() {
        let rows = [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.3, 0.3, 0.4, 0.6, 0.4, 0.0];
        for method in [Method::Temperature, Method::Isotonic] {
            let (fit, _) = Calibration::fit(method, &names(3), &rows, &[0, 1, 2, 1]).unwrap();
            for row in rows.chunks(3) {
                let mut row = row.to_vec();
                fit.apply(&mut row).unwrap();
                assert!(
                    (row.iter().sum::<f64>() - 1.0).abs() < 1e-12,
                    "{method:?}: {row:?}"
                );
            }
            assert!(fit.apply(&mut [0.5, 0.5]).is_err());
        }
    }

    #[test]
    fn isotonic_outcomes_of_two_classes_are_those_of_the_second() {
        let (fit, _) = Calibration::fit(Method::Isotonic, &names(2), &[0.9, 0.1, 0.2, 0.8], &[1, 0]).unwrap();
        let mut row = [0.4, 0.6];
        fit.apply(&mut row).unwrap();
        assert_eq!(row, [0.5, 0.5]);
        assert!(Calibration::fit(Method::Isotonic, &names(2), &[], &[]).is_err());
        assert!(Calibration::fit(Method::Temperature, &names(2), &[], &[]).is_err());
    }
}
