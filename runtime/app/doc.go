// Package app is the composition root: the only package that knows every feature. Open builds what the
// configuration asks for, bottom floor first, with plain constructors; Run adds the listener and the
// loops and drains them in reverse. Commands that need no server call Open and then the same methods as
// the routes do.
package app
