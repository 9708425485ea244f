//! Addresses and pages. A handful of pages needs no router library: an address is parsed by one function, and links are
//! plain links, so that they can be opened in new tabs and work before the app has started.

use leptos::prelude::*;

use crate::platform::{links, page};

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Live,
    /// `/monitor`
    Monitor,
    /// `/models`
    Models,
    /// `/evaluate`
    Evaluate,
    /// `/privacy`
    Privacy,
    /// Anything else.
    NotFound,
}

impl Route {
    /// The pages that the rail links to, in its order.
    pub const LINKED: [Self; 5] = [
        Self::Live,
        Self::Monitor,
        Self::Models,
        Self::Evaluate,
        Self::Privacy,
    ];

    /// The page of a path, given where the app is served (a path that ends in a slash).
    pub fn from_path(path: &str, base: &str) -> Self {
        let inner = if path == base.trim_end_matches('/') {
            Some("")
        } else {
            path.strip_prefix(base)
        };
        match inner.map(|inner| inner.trim_end_matches('/')) {
            None => Self::NotFound,
            Some("index.html") => Self::Live,
            Some(name) => {
                let known = Self::LINKED.into_iter().find(|route| route.name() == name);
                known.unwrap_or(Self::NotFound)
            }
        }
    }

    /// Its path.
    pub fn path(self, base: &str) -> String {
        format!("{base}{}", self.name())
    }

    /// The last part of its path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live | Self::NotFound => "",
            Self::Monitor => "monitor",
            Self::Models => "models",
            Self::Evaluate => "evaluate",
            Self::Privacy => "privacy",
        }
    }

    /// Its name, in the rail, in its heading and in the window's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Monitor => "Monitor",
            Self::Models => "Models",
            Self::Evaluate => "Evaluate",
            Self::Privacy => "Privacy",
            Self::NotFound => "Not found",
        }
    }
}

/// The current page, following the address bar and the app's own links.
pub fn current() -> RwSignal<Route> {
    let base = page::base_path();
    let route = RwSignal::new(Route::from_path(&page::path(), &base));
    Effect::new(move || page::set_title(&format!("{} · Plumbline", route.get().title())));
    page::on_window_event("popstate", {
        let base = base.clone();
        move |_| route.set(Route::from_path(&page::path(), &base))
    });
    links::on_followed(move |path| {
        let next = Route::from_path(path, &base);
        if next == Route::NotFound {
            return false;
        }
        if next != route.get_untracked() {
            page::push_path(path);
            route.set(next);
            page::scroll_to_top();
            page::focus("page");
        }
        true
    });
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_pages_and_back() {
        for base in ["/", "/tools/plumbline/"] {
            for route in Route::LINKED {
                assert_eq!(Route::from_path(&route.path(base), base), route);
            }
            assert_eq!(Route::from_path(&format!("{base}models/"), base), Route::Models);
            assert_eq!(Route::from_path(&format!("{base}nowhere"), base), Route::NotFound);
        }
        assert_eq!(
            Route::from_path("/tools/plumbline", "/tools/plumbline/"),
            Route::Live
        );
        assert_eq!(Route::from_path("/models", "/tools/plumbline/"), Route::NotFound);
    }
}
