/** Stops with one sentence where Node is too old. In the oldest JavaScript on purpose: an old Node has to be able to read it. */
'use strict';

/** Oldest Node that runs this project; the same figure stands in package.json under `engines`. */
var OLDEST_MAJOR = 20;

/**
 * @param {string} version as in process.version, e.g. 'v18.20.4'
 * @param {string} platform as in process.platform
 * @returns {string} what is wrong and how to mend it, in one sentence; '' when nothing is
 */
function problemWith(version, platform) {
  var major = parseInt(version.replace(/^v/, ''), 10);
  if (!(major >= OLDEST_MAJOR)) {
    return (
      'sluice needs Node ' +
      OLDEST_MAJOR +
      ' or later, and this is ' +
      version +
      ': install one from your distribution or nodejs.org, or run `nvm install ' +
      OLDEST_MAJOR +
      '`, then try again.'
    );
  }
  if (platform !== 'linux') {
    return (
      'sluice runs on Linux only (its engine is built on epoll and splice), and this is ' +
      platform +
      ': use a Linux machine, container or virtual machine.'
    );
  }
  return '';
}

module.exports = { problemWith: problemWith };

var problem = require.main === module ? problemWith(process.version, process.platform) : '';
if (problem !== '') {
  console.error(problem);
  process.exit(1);
}
