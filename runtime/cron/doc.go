// Package cron tells at which times a crontab expression means something to happen, in a time zone.
//
// Where clocks are put forward, what is meant at an hour that is left out happens at the moment of the change; where they
// are put back, what is meant at an hour that comes twice happens the first time. What is meant at every hour happens at
// every hour that there is. So do the crons of Debian and the BSDs.
package cron
