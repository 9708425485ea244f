//! Addresses and pages. Three pages need no router library: an address is parsed by one function, and links are plain
//! links, so that they can be opened in new tabs and work before the app has started.

use leptos::prelude::*;

use crate::platform::{links, page};

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Live,
    /// `/models`
    Models,
    /// `/privacy`
    Privacy,
    /// Anything else.
    NotFound,
}

impl Route {
    /// The pages that the rail links to, in its order.
    pub const LINKED: [Self; 3] = [Self::Live, Self::Models, Self::Privacy];

    /// The page of a path, given where the app is served (a path that ends in a slash).
    pub fn from_path(path: &str, base: &str) -> Self {
        let inner = if path == base.trim_end_matches('/') {
            Some("")
        } else {
            path.strip_prefix(base)
        };
        match inner.map(|inner| inner.trim_end_matches('/')) {
            Some("" | "index.html") => Self::Live,
            Some("models") => Self::Models,
            Some("privacy") => Self::Privacy,
            _ => Self::NotFound,
        }
    }

    /// Its path.
    pub fn path(self, base: &str) -> String {
        match self {
            Self::Live | Self::NotFound => base.to_owned(),
            Self::Models => format!("{base}models"),
            Self::Privacy => format!("{base}privacy"),
        }
    }

    /// Its name, in the rail, in its heading and in the window's title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Live => "Live",
            Self::Models => "Models",
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
