// Package doctor looks for what would go wrong, and says how to mend it.
//
// A check is a name and a question; what it finds is told with a fix where there is one. Checks change
// nothing. Database and Machine give those that need no feature; each feature adds its own.
//
//	ok        it is as it should be
//	warning   it works, and somebody will regret it
//	error     it does not work, or it will not
//	skipped   it could not be looked at
package doctor
