/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* numberplan.cc - libphonenumber behind a header for C.
 *
 * The one file of C++.  Nothing is thrown through it: the library does not, and
 * what it returns is copied at once.
 */
#include "b2bua/numberplan.h"
#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>
#include <cstring>
#include <set>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;

static const PhoneNumberUtil &
plans()
{
	return *PhoneNumberUtil::GetInstance();
}

static const ShortNumberInfo &
short_numbers()
{
	static const ShortNumberInfo info;

	return info;
}

/* The plans are written in capitals. */
static std::string
region(const char *country)
{
	std::string letters(country);

	for (char &letter : letters)
		letter = g_ascii_toupper(letter);
	return letters;
}

static bool
parse(const char *text, const char *country, PhoneNumber *number)
{
	return plans().Parse(text, country ? region(country) : "ZZ", number) ==
	       PhoneNumberUtil::NO_PARSING_ERROR;
}

static char *
digits_of(const std::string &text)
{
	std::string digits;

	for (char c : text)
		if (g_ascii_isdigit(c))
			digits += c;
	return g_strdup(digits.c_str());
}

gboolean
numberplan_knows(const char *country)
{
	std::set<std::string> regions;

	plans().GetSupportedRegions(&regions);
	return regions.count(region(country)) > 0;
}

char *
numberplan_to_e164(const char *digits, const char *country)
{
	PhoneNumber number;
	std::string text;

	/* possible, not valid: ranges are opened faster than libraries are installed */
	if (!parse(digits, country, &number) || !plans().IsPossibleNumber(number))
		return nullptr;
	number.clear_extension();
	plans().Format(number, PhoneNumberUtil::E164, &text);
	return g_strdup(text.c_str());
}

char *
numberplan_from(const char *e164, const char *country)
{
	PhoneNumber number;
	std::string text;

	if (!parse(e164, nullptr, &number))
		return nullptr;
	plans().FormatOutOfCountryCallingNumber(number, region(country), &text);
	/* the plan has no prefix for calls abroad: it stays a "+" */
	return text.empty() || text[0] == '+' ? nullptr : digits_of(text);
}

char *
numberplan_calling_code(const char *country)
{
	int code = plans().GetCountryCodeForRegion(region(country));

	return code ? g_strdup_printf("%d", code) : g_strdup("");
}

char *
numberplan_of_code(const char *digits)
{
	int code = 0;

	for (size_t i = 0; i < 3 && g_ascii_isdigit(digits[i]); i++) {
		std::string letters;

		code = code * 10 + (digits[i] - '0');
		plans().GetRegionCodeForCountryCode(code, &letters);
		if (code && letters != "ZZ")
			return g_strdup(letters.c_str());
	}
	return nullptr;
}

/* The library keeps it to itself, but for how a number abroad is written. */
char *
numberplan_abroad(const char *country)
{
	static const char *const samples[] = { "442079460123", "14155550101" };

	for (const char *sample : samples) {
		g_autofree char *e164 = g_strconcat("+", sample, nullptr);
		char *dialled = numberplan_from(e164, country);

		if (dialled && g_str_has_suffix(dialled, sample)) {
			dialled[strlen(dialled) - strlen(sample)] = '\0';
			return dialled;
		}
		g_free(dialled);
	}
	return g_strdup("");
}

gboolean
numberplan_is_valid(const char *e164, const char *country)
{
	PhoneNumber number;

	return parse(e164, nullptr, &number) &&
	       plans().IsValidNumberForRegion(number, region(country));
}

gboolean
numberplan_is_short(const char *digits, const char *country)
{
	PhoneNumber number;

	if (numberplan_is_emergency(digits, country))
		return TRUE;
	return parse(digits, country, &number) &&
	       short_numbers().IsValidShortNumberForRegion(number, region(country));
}

gboolean
numberplan_is_emergency(const char *digits, const char *country)
{
	return short_numbers().IsEmergencyNumber(digits, region(country));
}

static PhoneNumberUtil::PhoneNumberType
type_of(const std::string &e164)
{
	PhoneNumber number;

	return parse(e164.c_str(), nullptr, &number) ? plans().GetNumberType(number)
						     : PhoneNumberUtil::UNKNOWN;
}

/* A number with digits too many or too few is none of its plan's, but a carrier
 * may dial as far as it takes him: it is premium when one of another length is. */
static bool
begins_like_premium(const std::string &e164)
{
	const size_t longest = 1 + 15, shortest = 1 + 6;

	for (std::string more = e164 + '1'; more.size() <= longest; more += '1')
		if (type_of(more) == PhoneNumberUtil::PREMIUM_RATE)
			return true;
	for (std::string less = e164; less.size() > shortest;) {
		less.pop_back();
		if (type_of(less) == PhoneNumberUtil::PREMIUM_RATE)
			return true;
	}
	return false;
}

const char *
numberplan_class(const char *e164)
{
	PhoneNumber number;

	if (!parse(e164, nullptr, &number))
		return begins_like_premium(e164) ? "premium" : "other";
	switch (number.country_code()) {
	case 870: /* Inmarsat, and the satellite networks */
	case 881:
		return "satellite";
	case 878: /* numbers of persons and of networks of no country, dear and little known */
	case 882:
	case 883:
	case 888:
		return "other";
	default:
		break;
	}
	switch (plans().GetNumberType(number)) {
	case PhoneNumberUtil::FIXED_LINE:
	case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
	case PhoneNumberUtil::VOIP:
		return "fixed";
	case PhoneNumberUtil::MOBILE:
		return "mobile";
	case PhoneNumberUtil::TOLL_FREE:
		return "toll-free";
	case PhoneNumberUtil::PREMIUM_RATE:
		return "premium";
	case PhoneNumberUtil::SHARED_COST:
		return "shared-cost";
	case PhoneNumberUtil::UNKNOWN:
		return begins_like_premium(e164) ? "premium" : "other";
	default:
		return "other";
	}
}

const char *
numberplan_short_class(const char *digits, const char *country)
{
	PhoneNumber number;

	if (!parse(digits, country, &number))
		return "other";
	switch (short_numbers().GetExpectedCostForRegion(number, region(country))) {
	case ShortNumberInfo::TOLL_FREE:
		return "toll-free";
	case ShortNumberInfo::PREMIUM_RATE:
		return "premium";
	default:
		return "other";
	}
}

char *
numberplan_country(const char *e164)
{
	PhoneNumber number;
	std::string letters;

	if (!parse(e164, nullptr, &number))
		return nullptr;
	plans().GetRegionCodeForCountryCode(number.country_code(), &letters);
	return letters == "ZZ" ? nullptr : g_strdup(letters.c_str());
}

gboolean
numberplan_is_of(const char *e164, const char *country)
{
	PhoneNumber number;
	std::string letters;

	if (!parse(e164, nullptr, &number))
		return FALSE;
	plans().GetRegionCodeForNumber(number, &letters);
	if (letters != "ZZ")
		return letters == region(country);
	return plans().GetCountryCodeForRegion(region(country)) == number.country_code();
}

char *
numberplan_region(const char *e164)
{
	PhoneNumber number;
	std::string letters;

	if (!parse(e164, nullptr, &number))
		return nullptr;
	plans().GetRegionCodeForNumber(number, &letters);
	return letters == "ZZ" ? nullptr : g_strdup(letters.c_str());
}
