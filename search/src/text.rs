//! How words are compared.
