// @ts-check
"use strict";

module.exports = require("../bin/library.js");
