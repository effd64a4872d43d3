//! Road times against a server that is right, slow, wrong or absent.
